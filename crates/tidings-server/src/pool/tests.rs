use futures_util::FutureExt as _;
use uuid::Uuid;

use super::*;

const A: OwnerId = OwnerId::from_uuid(Uuid::from_u128(1));
const B: OwnerId = OwnerId::from_uuid(Uuid::from_u128(2));
const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn frees_memory_when_a_share_is_dropped() {
    let pool = Pool::new(400, 4);
    let mut first = pool.share_of(A);
    first.try_hold(60).unwrap();
    let mut second = pool.share_of(A);
    assert_eq!(second.try_hold(41), Err(Spent));
    second.try_hold(40).unwrap();
    pool.share_of(B).try_hold(100).unwrap();
    let mut third = pool.share_of(A);
    let mut waiting = Box::pin(third.hold(50, 0, PATIENCE));
    assert!((&mut waiting).now_or_never().is_none());
    drop(first);
    waiting.await.unwrap();
    assert_eq!(pool.callers(), 1);
    drop((second, third));
    assert_eq!(pool.callers(), 0);
}

#[tokio::test]
async fn frees_parts_of_a_share_separately() {
    let pool = Pool::new(400, 4);
    let mut whole = pool.share_of(A);
    whole.try_hold(100).unwrap();
    let part = whole.split(30);
    let rest = whole.split(200);
    drop(whole);
    assert_eq!(pool.share_of(A).try_hold(1), Err(Spent));
    drop(part);
    assert_eq!(pool.share_of(A).try_hold(31), Err(Spent));
    pool.share_of(A).try_hold(30).unwrap();
    drop(rest);
    assert_eq!(pool.callers(), 0);
}

#[tokio::test]
async fn limits_the_waiting_requests_of_a_caller() {
    let pool = Pool::new(400, 4);
    let mut first = pool.share_of(A);
    first.try_hold(100).unwrap();
    let wait = |kept| {
        let mut share = pool.share_of(A);
        Box::pin(async move { share.hold(1, kept, PATIENCE).await })
    };
    let mut waiting: Vec<_> = (0..MAX_WAITING_BYTES / WAITING_BYTES / 2)
        .map(|_| wait(WAITING_BYTES))
        .collect();
    for one in &mut waiting {
        assert_eq!(one.now_or_never(), None);
    }
    assert_eq!(wait(0).await, Err(Spent));
    waiting.pop();
    let mut one = wait(0);
    assert_eq!((&mut one).now_or_never(), None);
    drop((waiting, first));
    assert_eq!(one.await, Ok(()));
    assert_eq!(pool.callers(), 0);
}

#[tokio::test(start_paused = true)]
async fn ends_a_wait_after_its_patience() {
    let pool = Pool::new(400, 4);
    let mut first = pool.share_of(A);
    first.try_hold(100).unwrap();
    assert_eq!(pool.share_of(A).hold(1, 0, PATIENCE).await, Err(Spent));
    let all = pool.try_take(400);
    assert_eq!(pool.take(1, PATIENCE).await.err(), Some(Spent));
    drop(all);
    assert!(pool.take(400, PATIENCE).await.is_ok());
}
