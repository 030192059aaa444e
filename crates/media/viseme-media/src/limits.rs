//! Limits on a child: processor time and address space, and how much memory it took.

use viseme_core::Limits;

/// Limits the child that runs as `pid`. Best effort: a child that already ended has nothing to limit.
#[cfg(target_os = "linux")]
pub(crate) fn apply(pid: u32, limits: &Limits) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    // At the soft limit of processor time the child gets a signal and can say so; at the hard one it is killed.
    let processor = Rlimit { current: Some(limits.child_cpu_s), maximum: Some(limits.child_cpu_s + 5) };
    let memory =
        Rlimit { current: Some(limits.child_memory_bytes), maximum: Some(limits.child_memory_bytes) };
    let no_core_dump = Rlimit { current: Some(0), maximum: Some(0) };
    for (resource, limit) in
        [(Resource::Cpu, processor), (Resource::As, memory), (Resource::Core, no_core_dump)]
    {
        // Fails only when the child is gone or an outer limit is tighter: both are as good.
        let _ = prlimit(Some(pid), resource, limit);
    }
}

/// Elsewhere there is no way to limit another process.
#[cfg(not(target_os = "linux"))]
pub(crate) fn apply(_: u32, _: &Limits) {}

/// The most memory that the running process `pid` has had resident so far, in bytes; 0 when it cannot be told.
pub(crate) fn peak_memory_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|value| value.split_whitespace().next())
        .and_then(|number| number.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}
