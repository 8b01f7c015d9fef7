use super::suggestion::{ELSEWHERE, PAGES_ELSEWHERE};
use super::*;

fn meant(name: &str) -> Option<&'static str> {
    find(&FILTERS, name).map(|parameter| parameter.name)
}

#[test]
fn finds_a_name_in_every_spelling() {
    for (name, spellings) in [
        (
            "severity",
            &[
                "severity",
                "Severity",
                "SEVERITY",
                "severities",
                "severity[]",
                "severity[12]",
                "severities[]",
                "filter[severity]",
                "filter[severity][]",
                "filter.severity",
                "Filter[Severities]",
            ][..],
        ),
        (
            "actedUpon",
            &[
                "actedUpon",
                "acted_upon",
                "acted-upon",
                "ActedUpon",
                "ACTED_UPON",
                "actedupon",
                "actedUpon[]",
                "acted_upon[0]",
                "filter[acted_upon]",
            ],
        ),
        (
            "operationId",
            &["operationId", "operation_id", "operationID", "operation-id"],
        ),
        ("ownerKind", &["ownerKind", "owner_kind", "OwnerKind"]),
        ("category", &["categories", "category[]"]),
    ] {
        for spelling in spellings {
            assert_eq!(meant(spelling), Some(name), "{spelling}");
        }
    }
    for other in [
        "",
        "[",
        "]",
        "[]",
        "severity[x]",
        "filter",
        "filter[",
        "filter[]",
        "filter.",
        "severity]",
        "sev",
        "x[severity]",
        "éseverity",
        "-severity",
        "filter[-severity]",
        "filter.-severity",
        "severity-",
        "severity ",
        "severity_",
        "_severity",
        "acted--upon",
        "filter[severity-]",
    ] {
        assert_eq!(meant(other), None, "{other}");
    }
}

#[test]
fn every_name_means_one_parameter() {
    let list = FILTERS.iter().chain(&PAGING);
    let list: Vec<_> = list.flat_map(Parameter::names).collect();
    for (index, name) in list.iter().enumerate() {
        let twice = list[..index].iter().any(|other| is_same(name, other));
        assert!(!twice, "{name}");
    }
    for (foreign, ours) in ELSEWHERE.iter().chain(&PAGES_ELSEWHERE) {
        assert!(list.contains(ours), "{ours}");
        assert!(!list.iter().any(|name| is_same(name, foreign)), "{foreign}");
    }
}
