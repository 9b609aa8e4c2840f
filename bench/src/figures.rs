//! What is measured of a machine and of times.

use crate::Result;
use std::{fs, time::Duration};

/// A time of which this share of all is shorter; the times are sorted here.
pub(crate) fn percentile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    let index = (times.len().saturating_sub(1)) as f64 * share;
    times
        .get(index.round() as usize)
        .copied()
        .unwrap_or_default()
}

/// Milliseconds, for people.
pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// The memory that a process holds, in bytes.
pub(crate) fn resident(process: u32) -> Result<u64> {
    memory(process, "VmRSS:")
}

fn memory(process: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kibibytes.ok_or("the system tells no memory")? * 1024)
}

/// The most memory that a process held, in bytes, since [`forget_peak`].
pub(crate) fn peak(process: u32) -> Result<u64> {
    memory(process, "VmHWM:")
}

/// Begins a new measurement of the [`peak`].
pub(crate) fn forget_peak(process: u32) -> Result<()> {
    Ok(fs::write(format!("/proc/{process}/clear_refs"), "5")?)
}

/// How long a process has computed so far.
pub(crate) fn computed(process: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in parentheses, may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = |index: usize| fields.split_whitespace().nth(index)?.parse::<u64>().ok();
    let (user, system) = ticks(11)
        .zip(ticks(12))
        .ok_or("the system tells no times")?;
    // Linux counts in hundredths of a second.
    Ok(Duration::from_millis((user + system) * 10))
}

/// The machine, in a line.
pub(crate) fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_once(':'));
        value.map_or("unknown".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let model = field(&read("/proc/cpuinfo"), "model name");
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    format!("{processors} processors ({model}), {memory} of memory, load {load} at the beginning")
}

/// How long all processes of this name have computed so far.
pub(crate) fn computed_by(name: &str) -> Duration {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|process| {
            let comm = fs::read_to_string(format!("/proc/{process}/comm"));
            comm.is_ok_and(|comm| comm.trim() == name)
        })
        .filter_map(|process| computed(process).ok())
        .sum()
}
