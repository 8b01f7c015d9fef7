//! `tidings serve --check`: tries the settings without a server.

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use tidings::StoreConfig;

use super::{Args, Settings, identity};
use crate::output::{note, print_line};

/// Reads the keys, the certificate and every other file that the settings name, and reports all that cannot be used.
pub(super) fn run(args: &Args, settings: Settings) -> anyhow::Result<ExitCode> {
    let mut faults = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if let Err(error) = runtime.block_on(identity::open(settings.tokens)) {
        faults.push(format!("{error:#}"));
    }
    if let Some(tls) = args.connections.tls()
        && let Err(error) = tls.check()
    {
        faults.push(format!("{:#}", anyhow::Error::from(error)));
    }
    for (flag, file) in args.storage.files() {
        if let Err(error) = File::open(file) {
            faults.push(format!(
                "could not read {} (--{flag}): {error}",
                file.display()
            ));
        }
    }
    if let StoreConfig::Sqlite(store) = &settings.storage.config
        && store.data_dir.exists()
        && !store.data_dir.is_dir()
    {
        faults.push(format!("{} is no directory", store.data_dir.display()));
    }
    let place = settings.storage.name;
    for fault in &faults {
        note(format_args!("error: {fault}"));
    }
    if !faults.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    let file = args.config.as_deref().map(Path::display);
    let source = file.map_or_else(String::new, |file| format!(" of {file}"));
    print_line(format_args!(
        "The settings{source} can be used: listen on {}, store events in {place}",
        args.listen
    ))?;
    Ok(ExitCode::SUCCESS)
}
