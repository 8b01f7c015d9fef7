//! Pages of a large and of a small inbox in the same store.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use rusqlite::Connection;
use tidings::{Config, EventFilter, EventPage, PageRequest, Status, Tidings};
use tidings_event::{
    EventId, OwnerId, PageToken, Paging, Severity, Sort, SortKey, SortOrder, Timestamp, Total,
};
use uuid::Uuid;

use crate::Bench;
use crate::engine::Engine;
use crate::filling::{Inbox, find_feed};
use crate::raw_lists::BY_CREATED_AT;
use crate::report::{Table, Target};
use crate::statistics::{Samples, number};

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let inboxes = bench.inboxes().await?;
    let engine = Engine::open(bench, Config::new(inboxes.store.data())).await?;
    let mut cases = Vec::new();
    for read in Read::all()? {
        cases.push(Case {
            large: Turns::new(&read, inboxes.large, &inboxes.store.data())?,
            small: Turns::new(&read, inboxes.small, &inboxes.store.data())?,
            read,
        });
    }
    for _ in 0..bench.repetitions() {
        for case in &mut cases {
            case.measure(&engine, bench.size(50, 15)).await?;
        }
    }
    engine.close().await?;
    let (large, small) = (inboxes.large.events, inboxes.small.events);
    let mut table = Table::new("inbox-pages: pages of a large inbox compared with a small one");
    for case in &cases {
        table.ratio(
            &format!("ms, inbox of {}: {}", number(large as f64), case.read.name),
            &case.large.medians,
            (
                &format!("inbox of {}", number(small as f64)),
                &case.small.medians,
            ),
            Target::AtMost(2.0),
        );
    }
    table.note(format!(
        "Without HTTP, whose cost is the same on both sides: `Tidings::list` and \
         `Tidings::summary`, 25 events per page. Both inboxes are in one store with {} events of \
         1,000 other users, interleaved. Half of the events are read, one in 20 is an error. The \
         deep pages start in the middle of the inbox and continue with `next`.",
        number(inboxes.others as f64)
    ));
    table.note(inboxes.store.describe()?);
    Ok(table)
}

/// The page to read.
#[derive(Clone, Debug)]
struct Read {
    name: &'static str,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Summary,
    /// The first page.
    First(Box<EventFilter>, PageRequest),
    /// Page after page from the middle of the inbox.
    Deep(PageRequest),
}

impl Read {
    fn all() -> anyhow::Result<Vec<Self>> {
        let all = EventFilter::default;
        let newest = PageRequest::default();
        let uncounted = newest.with_total(Total::Left);
        let by_change = newest.with_sort(Sort {
            key: SortKey::UpdatedAt,
            order: SortOrder::Descending,
        });
        let errors = all().with_severity([Severity::Error]);
        let unread = all().with_status(Status::Unread);
        let unread_errors = errors.clone().with_status(Status::Unread);
        let of_category =
            all().with_category(["deployment".parse().context("the category is valid")?]);
        let badge = newest.with_size(1);
        let read = |name, what| Self { name, what };
        let first = |filter, page| What::First(Box::new(filter), page);
        Ok(vec![
            read("first page", first(all(), newest)),
            read("first page with `count=none`", first(all(), uncounted)),
            read("first page by `updatedAt`", first(all(), by_change)),
            read("`next` from the middle", What::Deep(newest)),
            read("errors", first(errors, newest)),
            read("unread events", first(unread.clone(), newest)),
            read("unread events, page of 1", first(unread, badge)),
            read("unread errors", first(unread_errors, newest)),
            read(
                "one category with `count=none`",
                first(of_category, uncounted),
            ),
            read("summary", What::Summary),
        ])
    }
}

/// One kind of read in both inboxes.
#[derive(Debug)]
struct Case {
    read: Read,
    large: Turns,
    small: Turns,
}

impl Case {
    async fn measure(&mut self, engine: &Engine, tries: usize) -> anyhow::Result<()> {
        let (mut in_large, mut in_small) = (self.large.begin(), self.small.begin());
        for _ in 0..tries {
            in_large.read(&self.read.what, engine).await?;
            in_small.read(&self.read.what, engine).await?;
        }
        self.large.medians.push(in_large.times.median());
        self.small.medians.push(in_small.times.median());
        Ok(())
    }
}

/// The measurements in one inbox.
#[derive(Debug)]
struct Turns {
    inbox: Inbox,
    middle: Option<PageToken>,
    medians: Samples,
}

impl Turns {
    fn new(read: &Read, inbox: Inbox, data: &std::path::Path) -> anyhow::Result<Self> {
        let middle = match &read.what {
            What::Deep(page) => Some(middle(inbox, page.sort, data)?),
            What::Summary | What::First(..) => None,
        };
        Ok(Self {
            inbox,
            middle,
            medians: Samples::default(),
        })
    }

    fn begin(&self) -> Turn {
        Turn {
            inbox: self.inbox,
            after: self.middle,
            times: Samples::default(),
        }
    }
}

/// One turn in one inbox.
#[derive(Debug)]
struct Turn {
    inbox: Inbox,
    after: Option<PageToken>,
    times: Samples,
}

impl Turn {
    async fn read(&mut self, what: &What, engine: &Engine) -> anyhow::Result<()> {
        let owner = self.inbox.owner;
        let time = match what {
            What::Summary => {
                let (time, total) = engine.run(|engine| summary(engine, owner)).await?;
                ensure!(
                    total == self.inbox.events as u64,
                    "{total} events are counted"
                );
                time
            }
            What::First(filter, page) => {
                let (filter, page) = (EventFilter::clone(filter), *page);
                let (time, listed) = list(engine, owner, filter, page).await?;
                ensure!(
                    listed.events.len() as u64 == page.size,
                    "the page is not full"
                );
                time
            }
            What::Deep(page) => {
                let after = self.after.context("the inbox has no further page")?;
                let page = page.with_paging(Paging::After(after));
                let (time, listed) = list(engine, owner, EventFilter::default(), page).await?;
                self.after = listed.next;
                time
            }
        };
        self.times.push(time);
        Ok(())
    }
}

/// Lists on the server's core. Returns the milliseconds and the page.
pub(crate) async fn list(
    engine: &Engine,
    owner: OwnerId,
    filter: EventFilter,
    page: PageRequest,
) -> anyhow::Result<(f64, EventPage)> {
    engine
        .run(|engine| async move {
            let start = Instant::now();
            let listed = engine.list(owner, filter, page).await?;
            Ok((start.elapsed().as_secs_f64() * 1e3, listed))
        })
        .await
}

async fn summary(engine: Tidings, owner: OwnerId) -> anyhow::Result<(f64, u64)> {
    let start = Instant::now();
    let summary = engine.summary(owner).await?;
    Ok((start.elapsed().as_secs_f64() * 1e3, summary.total_count))
}

/// The token of the page that starts in the middle of an inbox, newest first.
fn middle(inbox: Inbox, sort: Sort, data: &std::path::Path) -> anyhow::Result<PageToken> {
    let connection = Connection::open(data.join("tidings.db"))?;
    let (feed, _) = find_feed(&connection, inbox.owner)?;
    let (at, id): (i64, [u8; 16]) = connection.query_row(
        "SELECT at, id FROM listed WHERE feed = ?1 AND list = ?2 \
         ORDER BY at DESC, id DESC LIMIT 1 OFFSET ?3",
        (feed, BY_CREATED_AT, i64::try_from(inbox.events / 2)?),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let at = Timestamp::from_nanosecond(at.into())?;
    let id = EventId::from_uuid(Uuid::from_bytes(id));
    Ok(PageToken::after(at, id, &EventFilter::default(), sort))
}
