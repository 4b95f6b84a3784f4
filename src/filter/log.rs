//! The crate `log`, into Envoy's log.

use log::{Level, LevelFilter, Log, Metadata, Record};

use super::abi;

struct EnvoyLog;

impl Log for EnvoyLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        let level = match record.level() {
            Level::Trace => 0,
            Level::Debug => 1,
            Level::Info => 2,
            Level::Warn => 3,
            Level::Error => 4,
        };
        if self.enabled(record.metadata()) {
            abi::log(level, &record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// Opens the log. If the VM traps after all, the last line tells the reason.
pub(super) fn open() {
    const CRITICAL: u32 = 5;
    if log::set_logger(&EnvoyLog).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
    std::panic::set_hook(Box::new(|panic| abi::log(CRITICAL, &panic.to_string())));
}
