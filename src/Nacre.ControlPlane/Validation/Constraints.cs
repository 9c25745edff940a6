namespace Nacre.ControlPlane.Validation;

/// <summary>
/// Lengths, patterns and ranges of the service model (API version 2018-03-01), each under the name of its shape there. Lengths are left out of
/// patterns that repeat them.
/// </summary>
internal static class Constraints
{
    public static readonly TextConstraint ClientRequestToken = new(1, 63, "[A-za-z0-9_.-]{0,63}$");
    public static readonly TextConstraint NextToken = new(1, 255, @"^(?:[A-Za-z0-9+\/]{4})*(?:[A-Za-z0-9+\/]{2}==|[A-Za-z0-9+\/]{3}=)?$");
    public static readonly TextConstraint ResourceArn = new(8, 512);

    public static readonly TextConstraint FileSystemId = new(11, 21, "^(fs-[0-9a-f]{8,})$");
    public static readonly TextConstraint FileCacheId = new(11, 21, "^(fc-[0-9a-f]{8,})$");
    public static readonly TextConstraint BackupId = new(12, 128, "^(backup-[0-9a-f]{8,})$");
    public static readonly TextConstraint AssociationId = new(13, 23, "^(dra-[0-9a-f]{8,})$");
    public static readonly TextConstraint TaskId = new(12, 128, "^(task-[0-9a-f]{17,})$");
    public static readonly TextConstraint VolumeId = new(23, 23, "^(fsvol-[0-9a-f]{17,})$");
    public static readonly TextConstraint SubnetId = new(15, 24, "^(subnet-[0-9a-f]{8,})$");
    public static readonly TextConstraint SecurityGroupId = new(11, 20, "^(sg-[0-9a-f]{8,})$");

    public static readonly TextConstraint TagKey = new(1, 128, @"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$");
    public static readonly TextConstraint TagValue = new(0, 256, @"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$");
    public static readonly TextConstraint KmsKeyId = new(1, 2048);
    public static readonly TextConstraint Version = new(1, 20, "^[0-9](.[0-9]*)*$");
    public static readonly TextConstraint WeeklyTime = new(7, 7, @"^[1-7]:([01]\d|2[0-3]):?([0-5]\d)$");
    public static readonly TextConstraint DailyTime = new(5, 5, @"^([01]\d|2[0-3]):?([0-5]\d)$");
    public static readonly TextConstraint ArchivePath = new(3, 4357, @"^[^\u0000\u0085\u2028\u2029\r\n]*$");
    public static readonly TextConstraint Namespace = new(1, 4096, @"^[^\u0000\u0085\u2028\u2029\r\n]*$");
    public static readonly TextConstraint TaskPath = new(0, 4096, @"^[^\u0000\u0085\u2028\u2029\r\n]*$");
    public static readonly TextConstraint LogDestination = new(8, 1024, "^arn:[^:]+:(logs|firehose):[^:]*:[^:]*:.+$");
    public static readonly TextConstraint RootSquash = new(3, 21, "^([0-9]{1,10}):([0-9]{1,10})$");
    public static readonly TextConstraint NoSquashNid = new(11, 43, @"^([0-9\[\]\-]*\.){3}([0-9\[\]\-]*)@tcp$");
    public static readonly TextConstraint Region = new(1, 20, "^[a-z0-9-]{1,20}$");
    public static readonly TextConstraint FilterValue = new(1, 128, @"^[0-9a-zA-Z\*\.\\/\?\-_]*$");

    public static readonly NumberConstraint StorageCapacity = new(0, int.MaxValue);
    public static readonly NumberConstraint MaxResults = new(1, int.MaxValue);
    public static readonly NumberConstraint Megabytes = new(1, 512_000);
    public static readonly NumberConstraint PerUnitStorageThroughput = new(12, 1000);
    public static readonly NumberConstraint ThroughputCapacity = new(4_000, 2_000_000);
    public static readonly NumberConstraint MetadataIops = new(1_500, 192_000);
    public static readonly NumberConstraint RetentionDays = new(0, 90);
    public static readonly NumberConstraint LastAccessDays = new(0, long.MaxValue);
}
