//! What people do with `docker`, straight at a real Docker Engine and through Powerstrip: the same
//! output, the same exit codes. Here each scenario takes one transport; `just matrix` takes them all.

use powerstrip_tests::RealEngine;
use powerstrip_tests::matrix::{Selection, Site, Tally, scenarios};

macro_rules! themes {
    ($($theme:ident)*) => {
        $(#[tokio::test]
        async fn $theme() {
            is_the_same_through_powerstrip(stringify!($theme)).await;
        })*

        #[test]
        fn every_theme_is_tested() {
            let tested = [$(stringify!($theme)),*];

            let all = scenarios().expect("the scenarios are well formed");

            for scenario in all.iter().filter(|scenario| !scenario.is_long()) {
                assert!(tested.contains(&&*scenario.theme), "nobody tests {}", scenario.theme);
            }
        }
    };
}

themes! {
    basics run terminals containers streams copy images build buildx registry networks
}

#[expect(clippy::print_stderr, reason = "a skip must be seen by whoever runs the tests")]
async fn is_the_same_through_powerstrip(theme: &str) {
    let Some(engine) = RealEngine::find().await else { return };
    let site = Site::before(engine.address(), None, false).await.expect("the ways are open");
    let site = site.with_registries(engine.registry(), engine.locked_registry());
    let site = site.with_network(engine.network());
    let mut total = Tally::default();
    let all = scenarios().expect("the scenarios are well formed");

    for (number, scenario) in all.iter().enumerate() {
        if scenario.theme != theme || scenario.is_long() {
            continue;
        }
        if let Some(lacking) = site.lacks(scenario) {
            eprintln!("skipped: {}: there is no {lacking}", scenario.title);
            continue;
        }
        let first = site.compare(scenario, Selection::InTurn, number).await;
        let first = first.expect("there is a folder to run in");
        if first.differences.is_empty() {
            total.add(first);
            continue;
        }
        // Some commands race with the engine, and a busy machine lets either win: what differs by
        // our doing differs again. `just matrix` counts every difference.
        for difference in &first.differences {
            eprintln!("differs, and is tried again: {difference}");
        }
        let again = site.compare(scenario, Selection::InTurn, number).await;
        total.add(again.expect("there is a folder to run in"));
    }

    let differences: Vec<String> = total.differences.iter().map(ToString::to_string).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
