use tidings_event::OwnerId;

use super::*;
use crate::token::revoke_error::{MAX_ENDED_OF_OWNER, MAX_REVOKED};

fn later() -> Timestamp {
    Timestamp::now() + jiff::SignedDuration::from_hours(1)
}

#[tokio::test]
async fn without_a_file_a_token_is_revoked_until_it_expires() {
    let revocations = Revocations::new(None);
    let mut changed = revocations.clone().changed();
    assert!(!revocations.is_revoked("a"));
    revocations.revoke("a", Some(later())).await.unwrap();
    assert!(revocations.is_revoked("a") && !revocations.is_revoked("b"));
    assert!(changed.has_changed().unwrap());
    changed.mark_unchanged();
    revocations.write().forget(later());
    assert!(revocations.is_revoked("a"), "within the leeway");
    revocations.write().forget(later() + list::GRACE);
    assert!(!revocations.is_revoked("a"));
}

#[tokio::test]
async fn appends_each_revocation_to_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("revoked");
    let revocations = Revocations::new(Some(path.clone()));
    let missing = revocations.open_file(&path).err().unwrap();
    assert!(missing.to_string().contains("cannot be read"), "{missing}");
    assert!(!path.exists());
    std::fs::write(&path, "").unwrap();
    drop(revocations.open_file(&path).unwrap());
    revocations.revoke("a", Some(later())).await.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}by-hand")).unwrap();
    revocations.revoke("b", Some(later())).await.unwrap();

    let again = Revocations::new(Some(path.clone()));
    drop(again.open_file(&path).unwrap());
    assert!(["a", "by-hand", "b"].iter().all(|id| again.is_revoked(id)));
    // A known revocation with a later time is not written again.
    let bytes = path.metadata().unwrap().len();
    again.revoke("a", Some(Timestamp::now())).await.unwrap();
    again.revoke("by-hand", Some(later())).await.unwrap();
    assert_eq!(path.metadata().unwrap().len(), bytes);
}

#[tokio::test]
async fn does_not_recreate_a_missing_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("revoked");
    let revocations = Revocations::new(Some(path.clone()));
    std::fs::write(&path, "").unwrap();
    drop(revocations.open_file(&path).unwrap());
    std::fs::remove_file(&path).unwrap();
    let error = revocations.revoke("a", Some(later())).await.unwrap_err();
    assert!(
        matches!(&error, RevokeError::File(error) if error.kind() == io::ErrorKind::NotFound),
        "{error}"
    );
    assert!(revocations.is_revoked("a") && !path.exists());
}

#[tokio::test]
async fn reports_a_list_that_is_a_directory_as_a_file_error() {
    let directory = tempfile::tempdir().unwrap();
    let revocations = Revocations::new(Some(directory.path().to_owned()));
    let error = revocations.revoke("a", Some(later())).await.unwrap_err();
    assert!(matches!(error, RevokeError::File(_)), "{error}");
    assert!(revocations.is_revoked("a"));
}

#[tokio::test]
async fn rejects_ids_that_no_token_has() {
    let revocations = Revocations::new(None);
    for id in ["", "two words", "#a", &"x".repeat(257)] {
        let error = revocations.revoke(id, Some(later())).await.unwrap_err();
        assert!(matches!(error, RevokeError::InvalidId), "{id}");
    }
}

#[test]
fn bounds_the_number_of_revocations() {
    let revocations = Revocations::new(None);
    let now = Timestamp::now();
    for number in 0..MAX_REVOKED {
        let id = number.to_string();
        revocations
            .revoke_now(&id, Some(later()), By::Operator, now)
            .unwrap();
    }
    let error = revocations
        .revoke_now("x", Some(later()), By::Operator, now)
        .unwrap_err();
    assert!(matches!(error, RevokeError::Full { .. }), "{error}");
    // When the others have expired, there is room again.
    let then = later() + list::GRACE;
    assert!(
        revocations
            .revoke_now("x", Some(then), By::Operator, then)
            .is_ok()
    );
}

#[test]
fn users_leave_room_for_operators_and_each_other() {
    let revocations = Revocations::new(None);
    let now = Timestamp::now();
    let end = |owner: u128, number: usize, now| {
        let by = By::Owner(OwnerId::from(uuid::Uuid::from_u128(owner + 1)));
        let id = format!("{owner}-{number}");
        revocations.revoke_now(&id, Some(later()), by, now)
    };
    for number in 0..MAX_ENDED_OF_OWNER {
        end(0, number, now).unwrap();
    }
    let error = end(0, MAX_ENDED_OF_OWNER, now).unwrap_err();
    assert!(matches!(error, RevokeError::OwnersShare), "{error}");
    // Repeating one is not an error, and other users are not affected.
    end(0, 0, now).unwrap();
    for owner in 1..90 {
        for number in 0..MAX_ENDED_OF_OWNER {
            end(owner, number, now).unwrap();
        }
    }
    let error = end(90, 0, now).unwrap_err();
    assert!(matches!(error, RevokeError::Full { .. }), "{error}");
    let revoked = revocations.revoke_now("stolen", Some(later()), By::Operator, now);
    assert!(revoked.is_ok() && revocations.is_revoked("stolen"));
    // When the tokens have expired, there is room again.
    end(0, MAX_ENDED_OF_OWNER, later() + list::GRACE).unwrap();
}

#[tokio::test]
async fn a_revocation_survives_a_restart_whatever_its_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("revoked");
    std::fs::write(&path, "").unwrap();
    let revocations = Revocations::new(Some(path.clone()));
    drop(revocations.open_file(&path).unwrap());
    // As after a wrong clock.
    let past = Timestamp::now() - jiff::SignedDuration::from_hours(1_000);
    revocations.revoke("a", Some(past)).await.unwrap();
    assert!(revocations.is_revoked("a"));
    let again = Revocations::new(Some(path.clone()));
    drop(again.open_file(&path).unwrap());
    assert!(again.is_revoked("a"));
}

#[test]
fn notifies_of_new_ids_only() {
    let revocations = Revocations::new(None);
    let mut changed = revocations.changed();
    let mut replace = |ids: &[&str]| {
        let listed = ids.iter().map(|id| (Box::from(*id), None)).collect();
        revocations.replace_listed(listed);
        let told = changed.has_changed().unwrap();
        changed.mark_unchanged();
        told
    };
    assert!(replace(&["a", "b"]));
    assert!(!replace(&["b", "a"]));
    assert!(!replace(&["b"]));
    assert!(replace(&["b", "c"]));
}
