namespace Nacre.Client.Diagnosis;

/// <summary>What a step of a diagnosis came to.</summary>
public enum Verdict
{
    Ok,

    /// <summary>It works, but not as it should.</summary>
    Warning,

    Failed,
}

/// <summary>One step of a diagnosis, in plain words.</summary>
/// <param name="Step">address, port, lnet, management, configuration, target, clock or version.</param>
/// <param name="Subject">What was looked at: an address, a target.</param>
/// <param name="Message">One sentence.</param>
/// <param name="Advice">What to do; empty when all is well.</param>
public sealed record Finding(string Step, string Subject, Verdict Verdict, string Message, string Advice = "");
