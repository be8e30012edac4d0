use super::*;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

macro_rules! names {
    ($($name:ident: $text:expr => $expected:expr;)+) => {$(
        #[test]
        fn $name() {
            let text: &str = &$text;

            let parsed = Reference::parse(text);

            let repository = parsed.and_then(|reference| reference.repository);
            let expected: Option<&str> = $expected;
            assert_eq!(repository.as_deref(), expected);
        }
    )+};
}

names! {
    an_official_image: "alpine" => Some("docker.io/library/alpine");
    its_tag_is_no_part_of_it: "alpine:3.20" => Some("docker.io/library/alpine");
    its_digest_is_no_part_of_it: format!("alpine@{DIGEST}") => Some("docker.io/library/alpine");
    both_are_no_part_of_it: format!("alpine:3@{DIGEST}") => Some("docker.io/library/alpine");
    an_official_image_in_full: "docker.io/library/alpine" => Some("docker.io/library/alpine");
    an_official_image_without_library: "docker.io/alpine" => Some("docker.io/library/alpine");
    an_official_image_with_library: "library/alpine" => Some("docker.io/library/alpine");
    the_old_name_of_the_hub: "index.docker.io/alpine" => Some("docker.io/library/alpine");
    another_name_of_the_hub_is_another: "registry-1.docker.io/library/alpine" =>
        Some("registry-1.docker.io/library/alpine");
    a_users_image: "evil/alpine" => Some("docker.io/evil/alpine");
    a_users_image_in_full: "docker.io/evil/alpine:1" => Some("docker.io/evil/alpine");
    a_registry: "ghcr.io/acme/app" => Some("ghcr.io/acme/app");
    a_registry_with_a_port: "registry:5000/app:1" => Some("registry:5000/app");
    a_local_registry: "localhost/robhaswell/app" => Some("localhost/robhaswell/app");
    a_registry_by_address: "[::1]:5000/app" => Some("[::1]:5000/app");
    a_name_with_a_port_alone_is_a_tag: "robhaswell:5000" => Some("docker.io/library/robhaswell");
    capitals_make_a_host: "Robhaswell/app" => Some("Robhaswell/app");
    capitals_of_the_hub_are_another_host: "DOCKER.IO/library/alpine" =>
        Some("DOCKER.IO/library/alpine");
    capitals_in_a_path_are_no_name: "robhaswell/App" => None;
    a_way_up_is_no_name: "robhaswell/../evil/app" => None;
    a_way_up_from_a_host_is_no_name: "docker.io/robhaswell/../evil" => None;
    an_empty_part_is_no_name: "robhaswell//app" => None;
    a_slash_at_the_end_is_no_name: "robhaswell/" => None;
    a_slash_at_the_start_is_no_name: "/robhaswell/app" => None;
    nothing_is_no_name: "" => None;
    a_blank_is_no_name: "robhaswell/app evil/app" => None;
    a_url_is_no_name: "https://evil/app" => None;
    a_login_is_no_name: "robhaswell@evil/app" => None;
    a_second_digest_is_no_name: format!("a@{DIGEST}@{DIGEST}") => None;
    a_second_tag_is_no_name: "robhaswell/app:1:2" => None;
    an_empty_tag_is_no_name: "alpine:" => None;
    letters_of_other_alphabets_are_no_name: "аlpine" => None;
    three_underscores_are_no_name: "a___b" => None;
    dashes_and_dots_are_a_name: "a--b.c__d_e" => Some("docker.io/library/a--b.c__d_e");
    a_dash_at_the_end_is_no_name: "a-" => None;
    a_whole_id_is_no_name: DIGEST => None;
    a_whole_id_without_its_kind_is_no_name: DIGEST[7..] => None;
    most_of_an_id_is_a_name: DIGEST[7..70] =>
        Some("docker.io/library/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85");
}

macro_rules! ids {
    ($($name:ident: $text:expr => $expected:literal;)+) => {$(
        #[test]
        fn $name() {
            let reference = Reference::parse(&$text).expect("a reference");

            let may_be_id = reference.may_be_id;

            assert_eq!(may_be_id, $expected);
        }
    )+};
}

ids! {
    a_word_of_hexadecimal_letters_may_be_an_id: "cafe" => true;
    a_single_digit_may_be_an_id: "1" => true;
    the_start_of_an_id_with_its_kind_may_be_one: "sha256:e3b0" => true;
    a_whole_id_may_be_one: DIGEST => true;
    a_name_with_other_letters_is_none: "coffee" => false;
    a_tag_settles_it: "cafe:latest" => false;
    a_user_settles_it: "cafe/cafe" => false;
}

macro_rules! allowed {
    ($($name:ident: $entry:literal, $repository:literal => $expected:expr;)+) => {$(
        #[test]
        fn $name() {
            let allowed = parse_allowed($entry);

            let is_within = allowed.map(|allowed| is_within($repository, &allowed));

            let expected: Option<bool> = $expected;
            assert_eq!(is_within, expected);
        }
    )+};
}

allowed! {
    the_underscore_is_official: "_", "docker.io/library/alpine" => Some(true);
    the_underscore_is_no_user: "_", "docker.io/evil/library" => Some(false);
    a_user_is_allowed: "robhaswell", "docker.io/robhaswell/app" => Some(true);
    a_longer_user_is_another: "robhaswell", "docker.io/robhaswell2/app" => Some(false);
    a_user_elsewhere_is_another: "robhaswell", "evil.io/robhaswell/app" => Some(false);
    an_official_image_is_no_user: "robhaswell", "docker.io/library/robhaswell" => Some(false);
    a_whole_registry_is_allowed: "registry:5000", "registry:5000/a/b" => Some(true);
    its_port_counts: "registry:500", "registry:5000/a" => Some(false);
    a_part_of_a_registry_is_allowed: "ghcr.io/acme", "ghcr.io/acme/app" => Some(true);
    the_rest_of_it_is_not: "ghcr.io/acme", "ghcr.io/acmes/app" => Some(false);
    one_repository_is_allowed: "library/alpine", "docker.io/library/alpine" => Some(true);
    the_whole_hub_is_allowed: "docker.io", "docker.io/evil/app" => Some(true);
    the_old_name_of_the_hub_is_the_hub: "index.docker.io/a", "docker.io/a/b" => Some(true);
    a_tag_is_not_what_is_allowed: "robhaswell/app:1", "docker.io/robhaswell/app" => None;
    a_way_up_allows_nothing: "robhaswell/..", "docker.io/robhaswell" => None;
    nothing_allows_nothing: "", "docker.io/a" => None;
}
