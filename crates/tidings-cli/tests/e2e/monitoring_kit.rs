//! The alert rules and the dashboard in `deploy/monitoring`, judged by Prometheus and by what servers expose.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;
use tokio::process::Command;

use crate::databases;
use crate::postgres_database::Database;
use crate::server::{Server, output_of};

fn kit() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/monitoring")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(kit().join(name)).expect("the repository has it")
}

/// The names in a text that metrics of servers have.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_lowercase() || "_0123456789".contains(letter);
    text.split(|letter| !is_part(letter))
        .filter(|word| word.starts_with("tidings_") || word.starts_with("process_"))
        .map(str::to_owned)
        .collect()
}

/// The names of the samples that a server exposes.
async fn exposed_by(server: &Server) -> BTreeSet<String> {
    let text = server.text("/metrics").await;
    let names = text.lines().filter(|line| !line.starts_with('#'));
    names
        .filter_map(|line| line.split(['{', ' ']).next())
        .map(str::to_owned)
        .collect()
}

/// The texts below all keys of this name.
fn texts<'a>(value: &'a Value, key: &str, into: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field.as_str() {
                    Some(text) if name == key => into.push(text),
                    _ => texts(field, key, into),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, key, into)),
        _ => {}
    }
}

#[tokio::test]
async fn alerts_fire_on_their_faults_only() {
    for arguments in [
        ["check", "rules", "alerts.yaml"],
        ["test", "rules", "alerts.test.yaml"],
    ] {
        let mut judge = Command::new("promtool");
        judge.args(arguments).current_dir(kit()).kill_on_drop(true);
        let (status, out, err) = output_of(judge).await;
        assert!(status.success(), "{arguments:?}: {out}{err}");
    }
    let rules = read("alerts.yaml");
    let alerts: Vec<&str> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    assert!(alerts.len() >= 10, "{alerts:?}");
    let tests = read("alerts.test.yaml");
    for alert in alerts {
        let named = tests.matches(&format!("alertname=\"{alert}\"")).count();
        assert_eq!(named, 2, "{alert} is tested with its fault and without");
    }
}

#[tokio::test]
async fn the_dashboard_and_the_alerts_use_metrics_that_servers_expose() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let mut exposed = exposed_by(&Server::start(directory.path()).await).await;
    let database = Database::create();
    let node = Server::from_command(databases::serve(&database.url())).await;
    exposed.extend(exposed_by(&node).await);

    let dashboard: Value = serde_json::from_str(&read("dashboard.json")).expect("it is JSON");
    let mut queries = Vec::new();
    for key in ["expr", "query"] {
        texts(&dashboard, key, &mut queries);
    }
    let mut used = metrics_in(&queries.join("\n"));
    let rules = read("alerts.yaml");
    let expressions: Vec<&str> = rules
        .lines()
        .map(str::trim_start)
        .filter(|line| {
            !["#", "summary:", "description:"]
                .iter()
                .any(|key| line.starts_with(key))
        })
        .collect();
    used.extend(metrics_in(&expressions.join("\n")));
    assert!(used.len() > 40, "{used:?}");
    let unknown: Vec<&String> = used.difference(&exposed).collect();
    assert!(unknown.is_empty(), "{unknown:?} of {exposed:?}");
}

#[tokio::test]
async fn prometheus_understands_the_queries_of_the_dashboard() {
    let dashboard: Value = serde_json::from_str(&read("dashboard.json")).expect("it is JSON");
    let mut queries = Vec::new();
    texts(&dashboard, "expr", &mut queries);
    let rules: String = queries
        .iter()
        .enumerate()
        .map(|(number, query)| {
            // Grafana puts a time there.
            let query = query.replace("$__rate_interval", "5m");
            let text = Value::from(query);
            format!("  - record: \"panel:{number}\"\n    expr: {text}\n")
        })
        .collect();
    let directory = tempfile::tempdir().expect("a directory can be made");
    let file = directory.path().join("queries.yaml");
    let text = format!("groups:\n- name: dashboard\n  rules:\n{rules}");
    std::fs::write(&file, text).expect("writable");
    let mut judge = Command::new("promtool");
    judge.args(["check", "rules"]).arg(&file).kill_on_drop(true);
    let (status, out, err) = output_of(judge).await;
    assert!(status.success(), "{out}{err}");
    assert!(
        out.contains(&format!("{} rules found", queries.len())),
        "{out}"
    );
}
