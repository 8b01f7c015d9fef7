//! The stories of the demo: a few steps each, with one of several endings.

use std::time::Duration;

use serde_json::{Value, json};
use tidings::{Cause, Severity};
use uuid::Uuid;

/// A sequence of events about one resource.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) category: &'static str,
    pub(super) resource: Uuid,
    /// Whether every user sees it.
    pub(super) is_for_everybody: bool,
    pub(super) steps: Vec<Step>,
}

/// One event of a story.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// The delay after the previous step.
    pub(super) after: Duration,
    pub(super) action: &'static str,
    pub(super) severity: Severity,
    pub(super) description: String,
    pub(super) metadata: Vec<(&'static str, Value)>,
    pub(super) cause: Option<Cause>,
    pub(super) doc: Option<&'static str>,
}

/// The deployed services, with their teams.
const SERVICES: [(&str, &str); 6] = [
    ("shop-web", "storefront"),
    ("checkout", "payments"),
    ("search", "discovery"),
    ("mailer", "growth"),
    ("inventory", "warehouse"),
    ("image-resizer", "media"),
];

const CLUSTERS: [&str; 3] = ["prod-eu-1", "prod-us-2", "staging-eu"];

const DATABASES: [&str; 3] = ["orders", "customers", "sessions"];

impl Story {
    /// A random story, more often an everyday one.
    pub(super) fn any() -> Self {
        match fastrand::u8(..100) {
            0..45 => deployment(),
            45..60 => backup(),
            60..70 => connection(),
            70..80 => probe(),
            80..88 => volume(),
            88..94 => certificate(),
            _ => maintenance(),
        }
    }

    /// A story about the resource with this name.
    fn new(category: &'static str, name: &str) -> Self {
        let resource = Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes());
        Self {
            category,
            resource,
            is_for_everybody: false,
            steps: Vec::new(),
        }
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl Step {
    fn new(
        after: u64,
        action: &'static str,
        severity: Severity,
        description: impl Into<String>,
    ) -> Self {
        Self {
            after: Duration::from_secs(after),
            action,
            severity,
            description: description.into(),
            metadata: Vec::new(),
            cause: None,
            doc: None,
        }
    }

    fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.metadata.push((key, value.into()));
        self
    }

    fn because(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }

    fn see(mut self, doc: &'static str) -> Self {
        self.doc = Some(doc);
        self
    }
}

fn one_of<T: Copy>(all: &[T]) -> T {
    all[fastrand::usize(..all.len())]
}

fn deployment() -> Story {
    let (service, team) = one_of(&SERVICES);
    let cluster = one_of(&CLUSTERS);
    let version = format!("2.{}.{}", fastrand::u8(..30), fastrand::u8(..10));
    let pods = fastrand::u8(2..9);
    let story = Story::new("deployment", service)
        .then(
            Step::new(
                0,
                "start",
                Severity::Informational,
                format!("Rolling out {service} {version} to {cluster}"),
            )
            .with("team", team)
            .with("k8sContextName", cluster)
            .with("replicas", pods),
        )
        .then(Step::new(
            fastrand::u64(1..5),
            "progress",
            Severity::Informational,
            format!("{service} {version}: {} of {pods} pods ready", pods / 2),
        ));
    let end = |action, severity, text: String| {
        Step::new(fastrand::u64(2..6), action, severity, text)
            .with("team", team)
            .with("k8sContextName", cluster)
            .with("replicas", json!({"ready": pods / 2, "wanted": pods}))
    };
    let failed = |text: &str| {
        end(
            "apply",
            Severity::Error,
            format!("Rollout of {service} {version} to {cluster} failed: {text}"),
        )
    };
    story.then(match fastrand::u8(..10) {
        0 => failed("image pull failed")
            .because(
                Cause::new(format!(
                    "Could not pull the image registry.example.org/{service}:{version}"
                ))
                .with_code("deploy-1042")
                .with_long_description(
                    "The registry returned 403 for the manifest three times in two minutes.",
                )
                .with_probable_cause(format!(
                    "The pull secret of the namespace `{team}` has expired"
                ))
                .with_probable_cause("The build of this tag is still running or has failed")
                .with_suggested_remediation(format!(
                    "Renew the secret, then **roll out again**: `kubectl -n {team} rollout restart \
                     deploy/{service}`"
                ))
                .with_suggested_remediation(format!("Check the build of `{version}`")),
            )
            .see("https://kubernetes.io/docs/concepts/containers/images/"),
        1 => failed("pods ran out of memory").because(
            Cause::new(format!("{service} exceeds its memory limit of 512 MiB"))
                .with_code("deploy-1017")
                .with_long_description(
                    "4 of the last 5 starts ended with exit code 137 (OOMKilled).",
                )
                .with_probable_cause("The new version keeps its cache in memory")
                .with_suggested_remediation(
                    "Raise `resources.limits.memory` to 768 MiB, or roll back",
                )
                .with_suggested_remediation(format!(
                    "`kubectl -n {team} rollout undo deploy/{service}`"
                )),
        ),
        2 => end(
            "undo",
            Severity::Warning,
            format!("Rolled back {service} {version} on {cluster}: 10 % of requests failed"),
        )
        .with("errorRate", "10.4 %")
        .with(
            "doc_of_team",
            format!("https://wiki.example.org/{team}/{service}"),
        ),
        _ => end(
            "apply",
            Severity::Success,
            format!("Deployed {service} {version} to {cluster}: all {pods} pods ready"),
        ),
    })
}

fn backup() -> Story {
    let database = one_of(&DATABASES);
    let story = Story::new("backup", database);
    if fastrand::u8(..8) == 0 {
        return story.then(
            Step::new(
                0,
                "write",
                Severity::Error,
                format!("Backup of {database} failed"),
            )
            .because(
                Cause::new("Write access to the bucket backups-eu was denied")
                    .with_code("backup-2003")
                    .with_probable_cause("The access key was rotated this morning")
                    .with_suggested_remediation(
                        "Give the backup job the new key, then start it: `backupctl run --now`",
                    ),
            ),
        );
    }
    let size = fastrand::u16(8..120);
    story
        .then(Step::new(
            0,
            "start",
            Severity::Debug,
            format!("Backing up {database}"),
        ))
        .then(
            Step::new(
                fastrand::u64(3..9),
                "write",
                Severity::Success,
                format!("Backed up {database}: {size} GiB"),
            )
            .with("bucket", "backups-eu")
            .with("sizeGiB", size)
            .with("keptUntil", "90 days from now"),
        )
}

fn connection() -> Story {
    let cluster = one_of(&CLUSTERS);
    Story::new("connection", cluster).then(if fastrand::bool() {
        Step::new(
            0,
            "register",
            Severity::Success,
            format!("Connected to the cluster {cluster}"),
        )
        .with("connectionName", cluster)
        .with("k8sContextName", cluster)
    } else {
        Step::new(
            0,
            "ping",
            Severity::Critical,
            format!("No response from the cluster {cluster}"),
        )
        .with("k8sContextName", cluster)
        .with("lastAnswer", "4 minutes ago")
    })
}

/// A repeated fault as one operation, so that the inbox shows one line.
fn probe() -> Story {
    let (service, team) = one_of(&SERVICES);
    let mut story = Story::new("probe", service);
    for attempt in 1..=fastrand::u64(3..6) {
        let after = if attempt == 1 { 0 } else { fastrand::u64(1..4) };
        story = story.then(
            Step::new(
                after,
                "check",
                Severity::Warning,
                format!("Health check of {service} failed with 503 (attempt {attempt})"),
            )
            .with("team", team)
            .with("url", format!("https://{service}.example.org/healthz")),
        );
    }
    story.then(Step::new(
        fastrand::u64(2..5),
        "recover",
        Severity::Success,
        format!("Health check of {service} passes again"),
    ))
}

fn volume() -> Story {
    let database = one_of(&DATABASES);
    let used = fastrand::u8(85..99);
    Story::new("volume", database).then(
        Step::new(
            0,
            "fill",
            if used > 94 {
                Severity::Alert
            } else {
                Severity::Warning
            },
            format!("The volume of {database} is {used} % full"),
        )
        .with("usedPercent", used)
        .with("growth", "2.1 GiB a day")
        .with("fullIn", format!("{} days", 100 - used)),
    )
}

fn certificate() -> Story {
    let (service, _) = one_of(&SERVICES);
    Story::new("certificate", service).then(
        Step::new(
            0,
            "expire",
            Severity::Alert,
            format!("The certificate of {service}.example.org expires in 3 days"),
        )
        .with("issuer", "Example CA 2")
        .see("https://cert-manager.io/docs/"),
    )
}

fn maintenance() -> Story {
    let cluster = one_of(&CLUSTERS);
    let mut story = Story::new("maintenance", cluster)
        .then(Step::new(
            0,
            "announce",
            Severity::Informational,
            format!(
                "Maintenance of {cluster} tonight, 22:00 to 23:30 UTC: every pod restarts once"
            ),
        ))
        .then(
            Step::new(
                fastrand::u64(4..10),
                "begin",
                Severity::Warning,
                format!("Maintenance of {cluster} started: rollouts are paused"),
            )
            .with("until", "23:30"),
        )
        .then(Step::new(
            fastrand::u64(6..15),
            "end",
            Severity::Success,
            format!("Maintenance of {cluster} finished"),
        ));
    story.is_for_everybody = true;
    story
}
