use super::*;

fn admission(most: usize, most_per_address: usize) -> Arc<Admission> {
    let limits = ConnectionLimits {
        most: Some(most),
        most_per_address: Some(most_per_address),
        ..ConnectionLimits::default()
    };
    Arc::new(Admission::new(&limits, address("127.0.0.1")))
}

fn why(seat: &ConnectionSeat) -> Option<Full> {
    seat.reserve().map(|(why, _)| why)
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn frees_a_seat_when_its_connection_ends() {
    let admission = admission(2, 0);
    let here = address("127.0.0.1");
    let first = admission.admit(here);
    let second = admission.admit(here);
    assert_eq!((why(&first), why(&second)), (None, None));
    let third = admission.admit(here);
    assert_eq!(why(&third), Some(Full::Server));
    drop(first);
    // A refused connection stays rejected.
    assert_eq!(why(&third), Some(Full::Server));
    assert_eq!(why(&admission.admit(here)), None);
    assert!(admission.seats().by_address.is_empty());
}

#[test]
fn the_oldest_connection_makes_room_in_the_reserve() {
    let admission = admission(1, 0);
    let here = address("127.0.0.1");
    let _served = admission.admit(here);
    let mut reserve: Vec<ConnectionSeat> = (0..RESERVE).map(|_| admission.admit(here)).collect();
    let gone = |seat: &ConnectionSeat| seat.reserve().unwrap().1.is_cancelled();
    assert!(!reserve.iter().any(gone));
    let more = admission.admit(here);
    assert!(gone(&reserve[0]));
    assert!(!reserve[1..].iter().any(gone));
    // Ended connections leave room, so none is closed for the next.
    drop(reserve.split_off(8));
    let next = admission.admit(here);
    assert!(!gone(&reserve[1]) && !gone(&more) && !gone(&next));
    drop((reserve, more, next));
    assert!(admission.seats().reserve.is_empty());
}

#[test]
fn one_address_cannot_take_the_seats_of_others() {
    let admission = admission(10, 2);
    let greedy = address("192.0.2.1");
    let seats = [admission.admit(greedy), admission.admit(greedy)];
    assert_eq!(why(&admission.admit(greedy)), Some(Full::Address));
    assert_eq!(why(&admission.admit(address("192.0.2.2"))), None);
    drop(seats);
    assert_eq!(why(&admission.admit(greedy)), None);
    assert!(admission.seats().by_address.is_empty());
    assert_eq!(admission.seats().served, 0);
}

#[test]
fn one_address_has_a_quarter_if_other_machines_connect() {
    let per_address = |most_per_address, listen| {
        let limits = ConnectionLimits {
            most: Some(100),
            most_per_address,
            ..ConnectionLimits::default()
        };
        Admission::new(&limits, address(listen)).most_per_address()
    };
    for open in ["0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1"] {
        assert_eq!(per_address(None, open), 25, "{open}");
        assert_eq!(per_address(Some(0), open), 0, "{open}");
        assert_eq!(per_address(Some(7), open), 7, "{open}");
    }
    for here in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(per_address(None, here), 0, "{here}");
        assert_eq!(per_address(Some(7), here), 7, "{here}");
    }
}

#[test]
fn an_ipv6_network_counts_as_one_address() {
    let same = |one, other| network_of(address(one)) == network_of(address(other));
    assert!(same("2001:db8::1", "2001:db8::ffff:0:0:1"));
    assert!(!same("2001:db8:0:1::1", "2001:db8:0:2::1"));
    assert!(same("::ffff:192.0.2.1", "192.0.2.1"));
    assert!(!same("192.0.2.1", "192.0.2.2"));
}
