//! What holds for whatever a client sends, over inputs that `proptest` makes and shrinks.

use powerstrip::docker::json::{self, Canonical, Legacy};
use powerstrip::docker::{catalogue, normalise};
use powerstrip_fuzz::document::{Body, document};
use powerstrip_fuzz::go::{self, Shape};
use powerstrip_fuzz::{fuzz, targets};
use proptest::prelude::*;

/// Pieces of targets that routers take notice of.
fn target() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z]{1,4}",
        Just("/".to_owned()),
        Just("/containers/create".to_owned()),
        Just("%2f".to_owned()),
        Just("%25".to_owned()),
        "%[0-9a-fA-F]{2}",
        "/v[0-9.]{1,6}",
        Just("/..".to_owned()),
        Just("/.".to_owned()),
        "[?&=;#\\\\~!*']",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| format!("/{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_read_once_is_read_alike_again(target in target()) {
        if let Ok(call) = normalise::read(b"POST", target.as_bytes()) {
            let again = normalise::read(b"POST", call.forward_target().as_bytes());

            prop_assert_eq!(again, Ok(call));
        }
    }

    #[test]
    fn a_body_is_refused_or_read_as_go_reads_it(seed: u64) {
        let text = document(&mut fastrand::Rng::with_seed(seed), Body::Create);
        let create = catalogue::find("POST", "/containers/create").map(|(endpoint, _)| endpoint);

        let canonical = match json::read(create, &text, Legacy::Ignore) {
            Ok(Canonical::AsSent) => text.clone(),
            Ok(Canonical::Rewritten(bytes)) => bytes.to_vec(),
            Err(_) => return Ok(()),
        };

        if let (Some(sent), Some(ours)) = (go::parse(&text), go::parse(&canonical)) {
            let by_the_book = go::read_exactly(&ours, Shape::Create);
            prop_assert_eq!(go::read(&sent, Shape::Create), by_the_book);
        }
    }

    #[test]
    fn a_body_that_fits_what_is_known_is_read_as_it_is(seed: u64) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let known = document(&mut rng, Body::Create);
        let create = catalogue::find("POST", "/containers/create").map(|(endpoint, _)| endpoint);
        let read = json::outlined(create, &known, Legacy::Ignore);
        let Ok((Canonical::AsSent, outline)) = read else { return Ok(()) };
        for _ in 0..20 {
            let mut part = |text: &[u8]| {
                let start = rng.usize(0..=text.len());
                start..(start + rng.usize(0..12)).min(text.len())
            };
            let (gone, moved) = (part(&known), part(&known));
            let body = [&known[..gone.start], &known[moved], &known[gone.end..]].concat();

            if outline.fits(&known, &body) {
                let whole = json::read(create, &body, Legacy::Ignore);
                prop_assert_eq!(whole, Ok(Canonical::AsSent));
            }
        }
    }

    #[test]
    fn any_bytes_do_for_every_target(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        for target in targets::ALL {
            (target.check)(&bytes);
        }
    }
}

#[test]
fn every_target_survives_a_while() {
    for target in targets::ALL {
        fuzz::run(target, 5_000, 1).expect("nothing breaks it");
    }
}

#[test]
fn each_corpus_has_inputs_that_are_taken_and_others() {
    for target in targets::ALL {
        let inputs = fuzz::inputs(&fuzz::corpus().join(target.name)).expect("a corpus");

        let taken = inputs.iter().filter(|input| (target.check)(input)).count();

        assert!(
            taken > 0 && taken < inputs.len(),
            "{taken} of {} for {}",
            inputs.len(),
            target.name
        );
    }
}
