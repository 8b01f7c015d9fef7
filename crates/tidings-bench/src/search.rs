//! Searching a large inbox for words that occur in many of its events, in a few and in none.

use anyhow::ensure;
use tidings::{Config, EventFilter, PageRequest};
use tidings_event::{OwnerId, Paging, Total};

use crate::Bench;
use crate::content::Description;
use crate::engine::Engine;
use crate::inbox_pages::list;
use crate::inboxes::RARE;
use crate::report::{Table, Target};
use crate::statistics::{Samples, number};

/// Each text with its description.
const TEXTS: [(&str, &str); 5] = [
    (
        Description::RARE_WORD,
        "a word rare in this inbox, common in others",
    ),
    (
        Description::RARE_LETTERS,
        "two letters that occur only in that word",
    ),
    (Description::COMMON_WORD, "a common word"),
    (Description::COMMON_LETTERS, "two common letters"),
    (Description::ABSENT_WORD, "a word that occurs nowhere"),
];

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let inboxes = bench.inboxes().await?;
    let owner = inboxes.large.owner;
    let engine = Engine::open(bench, Config::new(inboxes.store.data())).await?;
    let mut cases = TEXTS.map(|(text, name)| Case {
        text,
        name,
        ..Case::default()
    });
    for _ in 0..bench.repetitions() {
        for case in &mut cases {
            case.measure(&engine, owner, bench.size(20, 5)).await?;
        }
    }
    engine.close().await?;
    let mut table = Table::new("search: the newest 25 matches in a large inbox");
    for case in &cases {
        let name = format!("“{}”, {}", case.text, case.name);
        table.figure(
            &format!("ms until the first page, {name}"),
            &case.first,
            Target::AtMost(100.0),
        );
        table.figure(
            "… until 25 or all matches are found, page by page",
            &case.full,
            Target::None,
        );
        table.figure("… with the exact total", &case.counted, Target::None);
        ensure!(
            case.text != Description::RARE_WORD || case.total == RARE as u64,
            "{} events have the rare word",
            case.total
        );
        table.note(format!(
            "“{}” occurs in {} events. The first page held {} and took at most {} ms.",
            case.text,
            case.total,
            case.fewest,
            number(case.slowest)
        ));
    }
    table.note(format!(
        "Without HTTP: `Tidings::list` with `count=none`, in the inbox of {} events in a store with \
         {} events of other users, of which one in 20 has the rare word.",
        number(inboxes.large.events as f64),
        number(inboxes.others as f64)
    ));
    table.note(inboxes.store.describe()?);
    Ok(table)
}

/// The measurements of one text.
#[derive(Debug, Default)]
struct Case {
    text: &'static str,
    name: &'static str,
    first: Samples,
    full: Samples,
    counted: Samples,
    /// The slowest first page of all.
    slowest: f64,
    /// The fewest events on a first page.
    fewest: usize,
    total: u64,
}

impl Case {
    async fn measure(
        &mut self,
        engine: &Engine,
        owner: OwnerId,
        tries: usize,
    ) -> anyhow::Result<()> {
        let filter = EventFilter::default().with_search(self.text);
        let mut request = PageRequest::default().with_total(Total::Left);
        let (mut firsts, mut fulls) = (Samples::default(), Samples::default());
        self.fewest = usize::MAX;
        for _ in 0..tries {
            request.paging = Paging::First;
            let (first, page) = list(engine, owner, filter.clone(), request).await?;
            self.slowest = self.slowest.max(first);
            self.fewest = self.fewest.min(page.events.len());
            let (mut full, mut found, mut next) = (first, page.events.len(), page.next);
            while found < 25
                && let Some(token) = next
            {
                request.paging = Paging::After(token);
                let (time, page) = list(engine, owner, filter.clone(), request).await?;
                full += time;
                found += page.events.len();
                next = page.next;
            }
            firsts.push(first);
            fulls.push(full);
        }
        self.first.push(firsts.median());
        self.full.push(fulls.median());
        let (time, page) = list(engine, owner, filter, PageRequest::default()).await?;
        self.counted.push(time);
        self.total = page.total_count.unwrap_or(0);
        Ok(())
    }
}
