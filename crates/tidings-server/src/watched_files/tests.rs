use std::sync::{Arc, Mutex};

use super::*;

#[derive(Debug, thiserror::Error)]
enum Rejected {
    #[error("it cannot be read")]
    Io(#[from] io::Error),
    #[error("it is bad")]
    Bad,
}

/// Watched files, and the contents that were applied.
fn watched<const N: usize>(
    paths: [&Path; N],
) -> (WatchedFiles<N, Rejected>, Arc<Mutex<Vec<String>>>) {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let files = WatchedFiles::open(paths.map(Path::to_owned), "test", 8, {
        let taken = Arc::clone(&taken);
        move |files| {
            let mut texts = Vec::new();
            for file in files {
                texts.push(String::from_utf8(file?.contents.to_vec()).unwrap());
            }
            if texts.iter().any(|text| text != &texts[0] || text == "bad") {
                return Err(Rejected::Bad);
            }
            taken.lock().unwrap().push(texts.swap_remove(0));
            Ok(())
        }
    });
    (files.unwrap(), taken)
}

fn last(taken: &Mutex<Vec<String>>) -> String {
    taken.lock().unwrap().last().unwrap().clone()
}

#[test]
fn reads_a_changed_file_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, "one").unwrap();
    let (mut file, taken) = watched([&path]);
    assert_eq!(last(&taken), "one");
    // Of the same length and, likely, at the same time.
    std::fs::write(&path, "two").unwrap();
    file.poll();
    assert_eq!(last(&taken), "two");
    let new = directory.path().join("new");
    std::fs::write(&new, "six").unwrap();
    std::fs::rename(&new, &path).unwrap();
    file.poll();
    assert_eq!(last(&taken), "six");
}

#[test]
fn follows_a_symbolic_link_to_another_file() {
    let directory = tempfile::tempdir().unwrap();
    let [one, two, link, new] = ["1", "2", "link", "new"].map(|name| directory.path().join(name));
    std::fs::write(&one, "one").unwrap();
    std::fs::write(&two, "two").unwrap();
    std::os::unix::fs::symlink(&one, &link).unwrap();
    let (mut file, taken) = watched([&link]);
    file.unsettled = false;
    std::os::unix::fs::symlink(&two, &new).unwrap();
    std::fs::rename(&new, &link).unwrap();
    file.poll();
    assert_eq!(last(&taken), "two");
}

#[test]
fn applies_an_unchanged_file_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, "one").unwrap();
    let (mut file, taken) = watched([&path]);
    file.poll();
    file.unsettled = false;
    file.poll();
    std::fs::write(&path, "one").unwrap();
    file.poll();
    assert_eq!(taken.lock().unwrap().len(), 1);
}

#[test]
fn keeps_the_state_and_logs_a_bad_file_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, "one").unwrap();
    let (mut file, taken) = watched([&path]);
    let mut faults = Vec::new();
    for change in [Some("bad"), Some("far too long"), None] {
        match change {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        file.poll();
        faults.push(file.fault.clone().unwrap());
        file.poll();
        assert_eq!(faults.last(), file.fault.as_ref());
    }
    assert!(faults[0].contains("it is bad"), "{faults:?}");
    assert!(faults[1].contains("larger than 8"), "{faults:?}");
    assert!(
        faults[2].contains("cannot be read: No such file"),
        "{faults:?}"
    );
    assert_eq!(*taken.lock().unwrap(), ["one"]);
    std::fs::write(&path, "one").unwrap();
    file.poll();
    assert_eq!((file.fault.clone(), taken.lock().unwrap().len()), (None, 2));
}

#[test]
fn reads_a_mismatched_pair_twice_before_it_reports_a_fault() {
    let directory = tempfile::tempdir().unwrap();
    let [certificate, key] = ["certificate", "key"].map(|name| directory.path().join(name));
    std::fs::write(&certificate, "one").unwrap();
    std::fs::write(&key, "one").unwrap();
    let (mut pair, taken) = watched([&certificate, &key]);
    std::fs::write(&certificate, "two").unwrap();
    pair.poll();
    assert_eq!((pair.fault.as_deref(), &*last(&taken)), (None, "one"));
    std::fs::write(&key, "two").unwrap();
    pair.poll();
    assert_eq!((pair.fault.as_deref(), &*last(&taken)), (None, "two"));
    std::fs::write(&certificate, "six").unwrap();
    pair.poll();
    assert_eq!(pair.fault, None);
    pair.poll();
    assert_eq!(pair.fault.as_deref(), Some("it is bad"));
    assert_eq!(last(&taken), "two");
}

#[tokio::test(start_paused = true)]
async fn notes_a_panic_in_a_watcher() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, "one").unwrap();
    let mut is_read = false;
    let files = WatchedFiles::open([path.clone()], "test", 8, move |_| {
        assert!(!std::mem::replace(&mut is_read, true), "a fault");
        Ok::<_, Rejected>(())
    });
    std::fs::write(&path, "two").unwrap();
    let vitals = Vitals::default();
    let watching = watch(vec![files.unwrap()], &vitals);
    watching.await.unwrap();
    assert_eq!(vitals.ended(), Some(Part::Files));
}

#[test]
fn rejects_a_missing_file() {
    let directory = tempfile::tempdir().unwrap();
    let paths = [directory.path().join("x")];
    let opened = WatchedFiles::open(paths, "test", 8, |[file]| {
        file.map(drop).map_err(Rejected::Io)
    });
    assert!(matches!(opened, Err(Rejected::Io(_))), "{opened:?}");
}
