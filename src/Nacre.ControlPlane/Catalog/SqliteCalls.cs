using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Nacre.ControlPlane.Catalog;

/// <summary>SQL in one line. Parameters are <c>?1</c>, <c>?2</c>, ... in the order given; null is NULL.</summary>
internal static class SqliteCalls
{
    public static int Run(this SqliteConnection db, string sql, params ReadOnlySpan<object?> parameters)
    {
        using var command = Prepare(db, sql, parameters);
        return command.ExecuteNonQuery();
    }

    /// <summary>The first column of the first row; 0 where there is none or it is NULL.</summary>
    public static long Integer(this SqliteConnection db, string sql, params ReadOnlySpan<object?> parameters)
    {
        using var command = Prepare(db, sql, parameters);
        return Convert.ToInt64(command.ExecuteScalar() is { } value and not DBNull ? value : 0L, CultureInfo.InvariantCulture);
    }

    /// <summary>All rows, each turned into a value by <paramref name="read"/>.</summary>
    public static List<T> Rows<T>(this SqliteConnection db, Func<SqliteDataReader, T> read, string sql, params ReadOnlySpan<object?> parameters)
    {
        using var command = Prepare(db, sql, parameters);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
        {
            rows.Add(read(reader));
        }
        return rows;
    }

    private static SqliteCommand Prepare(SqliteConnection db, string sql, ReadOnlySpan<object?> parameters)
    {
        var command = db.CreateCommand();
        command.CommandText = sql;
        for (int i = 0; i < parameters.Length; i++)
        {
            command.Parameters.AddWithValue(string.Create(CultureInfo.InvariantCulture, $"?{i + 1}"), parameters[i] ?? DBNull.Value);
        }
        return command;
    }
}
