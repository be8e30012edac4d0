//! The `Env` list of a container: `NAME=value`, or `NAME` alone to unset one of the image.

use crate::Variables;

/// The client's list with our variables: the client's own stay where they are, ours come behind.
pub(crate) fn merge(env: &[String], ours: &Variables, ours_win: bool) -> Vec<String> {
    let is_ours = |entry: &&String| ours.contains_key(name_of(entry));
    let is_theirs = |name: &str| env.iter().any(|entry| name_of(entry) == name);
    let kept = env.iter().filter(|entry| !(ours_win && is_ours(entry))).cloned();
    let added = ours.iter().filter(|(name, _)| ours_win || !is_theirs(name));
    kept.chain(added.map(|(name, value)| format!("{name}={value}"))).collect()
}

fn name_of(entry: &str) -> &str {
    entry.split_once('=').map_or(entry, |(name, _)| name)
}

/// Whether an environment can hold a variable of this name.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! merges {
        ($($name:ident: $env:expr, $ours_win:literal => $expected:expr;)+) => {$(
            #[test]
            fn $name() {
                let env: &[&str] = &$env;
                let env: Vec<String> = env.iter().map(ToString::to_string).collect();
                let ours = Variables::from([("TEAM".to_owned(), "blue".to_owned())]);

                let merged = merge(&env, &ours, $ours_win);

                assert_eq!(merged, $expected);
            }
        )+};
    }

    merges! {
        ours_come_behind: ["A=1"], false => ["A=1", "TEAM=blue"];
        the_clients_own_wins: ["TEAM=red"], false => ["TEAM=red"];
        a_name_that_the_client_unsets_stays_unset: ["TEAM"], false => ["TEAM"];
        ours_win_where_told: ["TEAM=red", "A=1", "TEAM=x"], true => ["A=1", "TEAM=blue"];
        a_longer_name_is_another: ["TEAMS=2"], true => ["TEAMS=2", "TEAM=blue"];
        an_empty_list_gets_ours: [], false => ["TEAM=blue"];
    }
}
