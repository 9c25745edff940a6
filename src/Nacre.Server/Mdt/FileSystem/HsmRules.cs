using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>What the HSM state of a file allows and demands: 07 sections 3.2 to 3.5. Pure functions.</summary>
internal static class HsmRules
{
    /// <summary>Whether a file can have this state at all (07 section 3.2).</summary>
    public static bool IsPossible(HsmStates states)
    {
        bool Has(HsmStates flag) => (states & flag) != 0;
        return (!Has(HsmStates.Dirty) || Has(HsmStates.Exists))
            && !(Has(HsmStates.Released) && Has(HsmStates.Dirty))
            && (!Has(HsmStates.Released) || Has(HsmStates.Archived))
            && (!Has(HsmStates.Lost) || Has(HsmStates.Archived));
    }

    /// <summary>An action that is not needed is accepted and not queued (07 section 3.4).</summary>
    public static bool IsNeeded(HsmUserAction action, HsmStates states) => action switch
    {
        HsmUserAction.Archive => (states & HsmStates.Dirty) != 0 || (states & HsmStates.Archived) == 0,
        HsmUserAction.Restore => (states & (HsmStates.Released | HsmStates.Dirty)) != 0,
        HsmUserAction.Remove => (states & (HsmStates.Archived | HsmStates.Exists)) != 0,
        _ => true,
    };

    /// <summary>An action that does not fit is refused with EPERM (07 section 3.4).</summary>
    /// <param name="archiveId">The one asked for; 0 for any.</param>
    public static bool IsCompatible(HsmUserAction action, in HsmAttrs file, uint archiveId)
    {
        var states = file.States;
        bool Has(HsmStates flags) => (states & flags) != 0;
        return action switch
        {
            HsmUserAction.Archive => !Has(HsmStates.NoArchive) && (Has(HsmStates.Dirty) || !Has(HsmStates.Archived))
                && (!Has(HsmStates.Exists) || archiveId == 0 || archiveId == file.ArchiveId),
            HsmUserAction.Restore => Has(HsmStates.Released) && Has(HsmStates.Archived) && !Has(HsmStates.Dirty | HsmStates.Lost),
            HsmUserAction.Remove => !Has(HsmStates.Released) && Has(HsmStates.Archived | HsmStates.Exists),
            HsmUserAction.Cancel => true,
            _ => false,
        };
    }

    /// <summary>Whether the data may be dropped (07 section 3.4).</summary>
    public static bool MayRelease(HsmStates states) =>
        (states & HsmStates.Archived) != 0 && (states & (HsmStates.Dirty | HsmStates.NoRelease | HsmStates.Lost)) == 0;

    /// <summary>Administrators may ask for everything, all others for a restore (07 section 3.5).</summary>
    public static bool MayAsk(in MdtCredentials who, HsmUserAction action) =>
        who.Has(Capabilities.SysAdmin) || action == HsmUserAction.Restore;
}
