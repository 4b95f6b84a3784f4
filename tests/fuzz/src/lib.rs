//! The targets, built once for all the programs that fuzz them.

#[path = "../targets/mod.rs"]
mod targets;

/// Panics when what must hold for any bytes does not.
pub fn run(name: &str, data: &[u8]) {
    let target = targets::ALL.iter().find(|(own, _)| *own == name);
    let (_, run) = target.unwrap_or_else(|| panic!("there is no target {name}"));
    run(data);
}
