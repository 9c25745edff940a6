namespace Nacre.ControlPlane.Catalog;

/// <summary>The catalog's file cannot be used; the message says why, fit for whoever starts the node.</summary>
public sealed class CatalogException(string message, Exception? inner = null) : Exception(message, inner);
