//! The bus on a real server of PostgreSQL.

use tidings_event::SystemId;

use super::*;
use crate::config::PostgresConfig;
use crate::store::postgres::tests::database::Database;

/// The time limit of a wait, far longer than any test takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn open(database: &Database, system: SystemId) -> PostgresBus {
    let config = PostgresConfig::new(database.url());
    PostgresBus::open(Connector::new(&config).unwrap(), system)
}

async fn receive(bus: &PostgresBus) -> Received {
    let received = tokio::time::timeout(PATIENCE, bus.receive()).await;
    received.expect("something comes")
}

/// Waits for the notice of a connection.
async fn connect(bus: &PostgresBus) {
    assert!(matches!(receive(bus).await, Received::Missed));
    bus.check().unwrap();
}

async fn message(bus: &PostgresBus) -> Bytes {
    loop {
        if let Received::Message(message) = receive(bus).await {
            return message;
        }
    }
}

#[tokio::test]
async fn carries_messages_between_the_nodes_of_one_installation() {
    let database = Database::create();
    let system = SystemId::mint();
    let [one, two] = [(); 2].map(|()| open(&database, system));
    let stranger = open(&database, SystemId::mint());
    for bus in [&one, &two, &stranger] {
        connect(bus).await;
    }
    // Any bytes, as many as a message can have.
    let largest: Vec<u8> = (0..=255).cycle().take(one.message_bytes()).collect();
    let largest = Bytes::from(largest);
    one.send(largest.clone()).await.unwrap();
    assert_eq!(message(&two).await, largest);
    assert_eq!(message(&one).await, largest);
    stranger.send(Bytes::from_static(b"own")).await.unwrap();
    assert_eq!(message(&stranger).await, "own");
    // A notification of another program is passed on as an empty message, which no node reads.
    let channel = format!("tidings_{}", system.as_uuid().simple());
    database.query(&format!("NOTIFY {channel}, 'not base64!'"));
    assert_eq!(message(&two).await, "");
}

#[tokio::test]
async fn connects_again_when_the_connection_is_lost() {
    let database = Database::create();
    let system = SystemId::mint();
    let [one, two] = [(); 2].map(|()| open(&database, system));
    for bus in [&one, &two] {
        connect(bus).await;
    }
    database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    for bus in [&one, &two] {
        connect(bus).await;
    }
    one.send(Bytes::from_static(b"again")).await.unwrap();
    assert_eq!(message(&two).await, "again");
}

#[tokio::test]
async fn tells_that_a_slow_node_has_missed_messages() {
    let database = Database::create();
    let system = SystemId::mint();
    let [one, slow] = [(); 2].map(|()| open(&database, system));
    for bus in [&one, &slow] {
        connect(bus).await;
    }
    let number = WAITING_MESSAGES + 100;
    for _ in 0..number {
        one.send(Bytes::from_static(b"hint")).await.unwrap();
        // The own messages come back, so that all have been sent at the end.
        assert_eq!(message(&one).await, "hint");
    }
    let mut messages = 0;
    while matches!(receive(&slow).await, Received::Message(_)) {
        messages += 1;
    }
    assert!(messages < number);
}

#[tokio::test]
async fn is_not_connected_once_its_task_has_panicked() {
    let database = Database::create();
    let bus = open(&database, SystemId::mint());
    connect(&bus).await;
    let (_, outgoing) = mpsc::channel(1);
    let (incoming, _) = mpsc::channel(1);
    let config = PostgresConfig::new(database.url());
    let line = Line {
        connector: Connector::new(&config).unwrap(),
        channel: String::new(),
        outgoing,
        incoming,
        state: Arc::clone(&bus.state),
    };
    let panicked = tokio::spawn(async move {
        let _line = line;
        panic!("a fault");
    });
    assert!(panicked.await.unwrap_err().is_panic());
    assert!(bus.check().is_err());
}
