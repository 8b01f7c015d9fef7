//! What the server does for an event, a delivery and a stream, counted: instructions, system calls and bytes.
//!
//! Unlike times, these figures hardly depend on what else the machine does, so that two builds can be compared on
//! a busy one.

mod counter;
mod work;

use std::collections::HashMap;

use crate::Bench;
use crate::report::{Table, Target};
use crate::server::Server;
use crate::sides::Build;
use crate::statistics::Samples;

use counter::{Instructions, SystemCalls};
use work::{Clients, Work};

/// Measurements of one build by figure.
type Figures = HashMap<String, Samples>;

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let builds = Build::all(bench);
    let mut figures = vec![Figures::new(); builds.len()];
    for _ in 0..bench.repetitions() {
        for work in Work::ALL {
            for (build, figures) in builds.iter().zip(&mut figures) {
                if Instructions::can_be_counted() {
                    instructions(bench, build, work, figures).await?;
                }
                others(bench, build, work, figures).await?;
            }
        }
    }
    let mut table = Table::new("counts: instructions, system calls and bytes");
    let (own, others) = figures.split_first().expect("Tidings is measured");
    for name in Work::ALL.into_iter().flat_map(names) {
        let Some(ours) = own.get(&name) else {
            continue;
        };
        match others.first().and_then(|other| other.get(&name)) {
            Some(other) => table.ratio(&name, ours, (builds[1].name, other), Target::None),
            None => table.figure(&name, ours, Target::None),
        }
    }
    table.note(
        "Instructions are those of all threads in user mode, as `valgrind --tool=callgrind` counts them. Valgrind runs \
         one thread at a time, so that commits have other sizes there than in the other rows.",
    );
    if !Instructions::can_be_counted() {
        table.note(
            "Instructions were not counted: that needs Debian's packages `valgrind` and `strace`.",
        );
    }
    if !SystemCalls::can_be_counted() {
        table.note(
            "System calls were not counted: that needs root and Debian's package `linux-perf`.",
        );
    }
    Ok(table)
}

/// The names of the figures of some work, in the order of the rows.
fn names(work: Work) -> Vec<String> {
    let unit = work.unit();
    let mut names = vec![
        format!("instructions per {unit}"),
        format!("system calls per {unit}"),
        format!("KiB written per {unit}"),
        format!("events per commit, by {}", work.name()),
    ];
    if matches!(work, Work::Accept) {
        names.truncate(2);
        names.push(format!("KiB of memory per {unit}"));
    }
    names
}

/// Adds a measurement.
fn push(figures: &mut Figures, name: String, value: f64) {
    figures.entry(name).or_default().push(value);
}

/// The instructions of some work: the difference of two servers, of which one does five times as much.
async fn instructions(
    bench: &Bench,
    build: &Build,
    work: Work,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let size = bench.size(2_000, 800);
    let (few, few_done) = all_instructions(bench, build, work, size).await?;
    let (many, many_done) = all_instructions(bench, build, work, 5 * size).await?;
    let name = format!("instructions per {}", work.unit());
    push(figures, name, (many - few) / (many_done - few_done));
    Ok(())
}

/// The instructions of a server from its start to its end, and how much it did.
async fn all_instructions(
    bench: &Bench,
    build: &Build,
    work: Work,
    size: usize,
) -> anyhow::Result<(f64, f64)> {
    let directory = bench.directory()?;
    let counter = Instructions::new(directory.path());
    let command = counter.command(build.binary());
    let server = Server::start_command(bench, command, &directory.path().join("data"), &[]).await?;
    let mut clients = Clients::prepare(work, server.address()).await?;
    let done = clients.run(size).await?;
    drop(clients);
    Ok((counter.end(server.into_process()).await?, done))
}

async fn others(
    bench: &Bench,
    build: &Build,
    work: Work,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let directory = bench.directory()?;
    let server = build.serve(bench, &directory.path().join("data")).await?;
    let mut clients = Clients::prepare(work, server.address()).await?;
    let process = server.process();
    let commits = clients.commits(server.address()).await?;
    let calls = match SystemCalls::can_be_counted() {
        true => Some(SystemCalls::begin(directory.path(), process.id()).await?),
        false => None,
    };
    let (written, memory) = (process.written_bytes()?, process.resident_bytes()?);
    let done = clients.run(bench.size(40_000, 4_000)).await?;
    let (written_after, memory_after) = (process.written_bytes()?, process.resident_bytes()?);
    let unit = work.unit();
    if let Some(calls) = calls {
        let calls = calls.end().await?;
        push(figures, format!("system calls per {unit}"), calls / done);
    }
    let kib = |bytes: u64| bytes as f64 / 1024.0 / done;
    if matches!(work, Work::Accept) {
        let grown = memory_after.saturating_sub(memory);
        push(figures, format!("KiB of memory per {unit}"), kib(grown));
    } else {
        let name = format!("KiB written per {unit}");
        push(figures, name, kib(written_after - written));
        let after = clients.commits(server.address()).await?;
        let name = format!("events per commit, by {}", work.name());
        push(figures, name, (after.1 - commits.1) / (after.0 - commits.0));
    }
    drop(clients);
    server.stop().await
}
