//! The endpoints of the API as data, and which of them a call is for.

mod table;
mod template;

use std::sync::LazyLock;

use self::template::Part;

/// What a request to an endpoint carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestBody {
    /// Nothing that dockerd reads.
    None,
    /// JSON.
    Json,
    /// JSON, or nothing.
    OptionalJson,
    /// A tar archive or other bytes, of any length.
    Opaque,
}

/// What an endpoint answers when all goes well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A status alone.
    Empty,
    /// One JSON value.
    Json,
    /// One short text.
    Text,
    /// JSON messages about something that comes to an end.
    Progress,
    /// A head at once, and a body whose end is not in sight.
    Endless,
    /// Bytes that are not JSON, of any length.
    Raw,
    /// A raw connection, after 101 or after a 200 without framing.
    Hijack,
    /// A raw connection, only after 101 (HTTP/2, WebSocket).
    Upgrade,
}

/// One endpoint of the API.
#[derive(Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name, noun first: `container-create`.
    pub name: &'static str,
    /// The method.
    pub method: &'static str,
    /// The path with its variables, in gorilla/mux's notation.
    pub template: &'static str,
    /// What its requests carry.
    pub request: RequestBody,
    /// What it answers.
    pub answer: Answer,
    /// Whether the request's body holds secrets that no hook may see.
    pub secret_request: bool,
    /// Whether the answer's body does.
    pub secret_answer: bool,
    parts: Vec<Part>,
}

impl Endpoint {
    /// The path with these values for its variables, in the order of the template.
    pub(super) fn path(&self, variables: &[(&'static str, String)]) -> String {
        template::fill(&self.parts, variables)
    }

    /// Whether either body holds secrets.
    #[must_use]
    pub fn secret(&self) -> bool {
        self.secret_request || self.secret_answer
    }
}

static ENDPOINTS: LazyLock<Vec<Endpoint>> = LazyLock::new(|| {
    let endpoint = |&(name, method, template, request, answer): &table::Row| Endpoint {
        name,
        method,
        template,
        request,
        answer,
        secret_request: table::SECRET_REQUESTS.contains(&name),
        secret_answer: table::SECRET_ANSWERS.contains(&name),
        parts: template::parse(template),
    };
    table::ROWS.iter().map(endpoint).collect()
});

/// All endpoints; for each method in the order in which moby registers them.
#[must_use]
pub fn all() -> &'static [Endpoint] {
    &ENDPOINTS
}

/// The endpoint that dockerd routes this call to, and its path variables. The path is decoded,
/// clean and without version; the first endpoint that matches wins, as in gorilla/mux.
#[must_use]
pub fn find(
    method: &str,
    path: &str,
) -> Option<(&'static Endpoint, Vec<(&'static str, String)>)> {
    let of_method = all().iter().filter(|endpoint| endpoint.method == method);
    of_method
        .filter_map(|endpoint| Some((endpoint, template::matches(&endpoint.parts, path)?)))
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! routes {
        ($($test:ident, $method:expr, $path:expr, $expected:expr;)*) => {$(
            #[test]
            fn $test() {
                let expected: Option<(&str, &[&str])> = $expected;

                let found = find($method, $path);

                let found = found.as_ref().map(|(endpoint, variables)| {
                    let values: Vec<_> = variables.iter().map(|(_, value)| value.as_str()).collect();
                    (endpoint.name, values)
                });
                assert_eq!(found, expected.map(|(name, values)| (name, values.to_vec())));
            }
        )*};
    }

    routes! {
        a_literal_path, "POST", "/containers/create", Some(("container-create", &[]));
        a_variable, "POST", "/containers/web/start", Some(("container-start", &["web"]));
        // P13
        a_name_may_hold_slashes, "POST", "/containers/a/b/start",
            Some(("container-start", &["a/b"]));
        an_image_name_may_hold_slashes, "GET", "/images/a/b/c/json",
            Some(("image-inspect", &["a/b/c"]));
        a_name_is_greedy, "POST", "/containers/a/start/start",
            Some(("container-start", &["a/start"]));
        // P14
        a_name_may_be_a_route_word, "POST", "/containers/create/start",
            Some(("container-start", &["create"]));
        a_container_may_be_called_json, "DELETE", "/containers/json",
            Some(("container-delete", &["json"]));
        a_list_is_not_a_name, "GET", "/containers/json", Some(("container-list", &[]));
        checkpoints_come_before_containers, "DELETE", "/containers/a/checkpoints/b",
            Some(("checkpoint-delete", &["a", "b"]));
        deeper_checkpoints_are_a_container, "DELETE", "/containers/a/b/checkpoints/c",
            Some(("container-delete", &["a/b/checkpoints/c"]));
        a_network_needs_a_name, "GET", "/networks/", Some(("network-list", &[]));
        a_network_by_name, "GET", "/networks/a/b", Some(("network-inspect", &["a/b"]));
        a_segment_has_no_slash, "GET", "/services/a/b", None;
        // P9, P10, P16, P17
        a_slash_at_the_end_is_another_path, "POST", "/containers/create/", None;
        case_matters, "GET", "/Containers/json", None;
        a_lower_case_method_is_unknown, "get", "/containers/json", None;
        head_is_not_get, "HEAD", "/containers/json", None;
        options_is_for_every_path, "OPTIONS", "/anything", Some(("options", &["anything"]));
        debug_is_in_the_table, "GET", "/debug/pprof/heap", Some(("debug-profile", &["heap"]));
        podman_attaches_too, "POST", "/libpod/containers/a/attach",
            Some(("libpod-container-attach", &["a"]));
        what_is_new_is_unknown, "GET", "/libpod/pods/json", None;
    }

    #[test]
    fn a_template_filled_with_its_own_variables_is_the_path() {
        let paths = [("PUT", "/containers/a/b/archive"), ("DELETE", "/containers/a/checkpoints/b")];

        let filled = paths.map(|(method, path)| {
            let (endpoint, variables) = find(method, path).expect("a known endpoint");
            endpoint.path(&variables)
        });

        assert_eq!(filled, paths.map(|(_, path)| path));
    }

    #[test]
    fn names_are_kebab_case_and_belong_to_one_method() {
        for endpoint in all() {
            let same: Vec<_> = all().iter().filter(|other| other.name == endpoint.name).collect();

            let kebab = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';

            assert!(endpoint.name.bytes().all(kebab), "{}", endpoint.name);
            assert!(same.iter().all(|other| other.method == endpoint.method), "{}", endpoint.name);
        }
    }

    #[test]
    fn secrets_are_of_endpoints_that_exist() {
        let names = table::SECRET_REQUESTS.iter().chain(table::SECRET_ANSWERS);

        let unknown: Vec<_> =
            names.filter(|name| all().iter().all(|endpoint| endpoint.name != **name)).collect();

        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
