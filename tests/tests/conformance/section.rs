//! The cases by what they are about, in the order of the document.

use libtest_mimic::Trial;

use crate::case::Case;

/// Cases about one thing.
pub(crate) struct Section {
    /// How the names of its cases begin.
    pub(crate) name: &'static str,
    /// Its title in the document.
    pub(crate) title: &'static str,
    /// What the reader should know.
    pub(crate) about: &'static str,
    /// Its cases.
    pub(crate) cases: &'static [&'static [Case]],
}

impl Section {
    /// All cases.
    pub(crate) fn cases(&self) -> impl Iterator<Item = &'static Case> {
        self.cases.iter().copied().flatten()
    }

    /// Its cases as tests.
    pub(crate) fn trials(&self) -> Vec<Trial> {
        self.cases().map(|case| case.trial(self.name)).collect()
    }
}

/// Everything.
pub(crate) const ALL: &[Section] = &[
    Section {
        name: "configuration",
        title: "The file",
        about: "What `/etc/powerstrip/adapters.yml` may hold, and when it counts.",
        cases: &[crate::configuration::ACCEPTED, crate::configuration::REFUSED],
    },
    Section {
        name: "matching",
        title: "Which calls an endpoint matches",
        about: "Patterns were those of Python's `fnmatch`, tried against `METHOD PATH`.",
        cases: &[crate::matching::CASES],
    },
    Section {
        name: "bodies",
        title: "Which bodies webhooks are shown",
        about: "In 2015 the header `Content-Type` alone decided; now the call does, and the header \
                where the API leaves it open.",
        cases: &[crate::bodies::CASES],
    },
    Section {
        name: "messages",
        title: "What webhooks are sent, and what their replies do",
        about: "The messages of protocol version 1 are those of 2015, key by key.",
        cases: &[crate::messages::SENT, crate::messages::REPLIES],
    },
    Section {
        name: "failures",
        title: "When a webhook fails",
        about: "The README of 2015 promised that the client would be told. The program logged the \
                failure and left the client waiting, in almost every row.",
        cases: &[crate::failures::BEFORE, crate::failures::AFTER, crate::failures::AROUND],
    },
    Section {
        name: "quirks",
        title: "What real adapters rely on",
        about: "Seen in the adapters of 2015 and 2016: what a host has to put up with.",
        cases: &[crate::quirks::CASES],
    },
    Section {
        name: "adapters",
        title: "The adapters of 2015",
        about: "Stand-ins that do on the wire what the real ones did, alone and in chains with \
                components.",
        cases: &[crate::adapters::CASES],
    },
    Section {
        name: "programs",
        title: "Webhooks from the README",
        about: "Programs written from the README of 2015 alone, under its configuration files byte \
                for byte, behind the real `docker` client.",
        cases: &[crate::programs::CASES],
    },
    Section {
        name: "connections",
        title: "Connections to webhooks",
        about: "In 2015 each hook made a connection of its own. Connections are kept now, and no \
                webhook can tell but by counting them.",
        cases: &[crate::connections::CASES],
    },
    Section {
        name: "trouble",
        title: "The client never hangs",
        about: "Whatever stands in place of a webhook, the client reads an error in the Docker \
                Engine's own shape, at the webhook's deadline at the latest.",
        cases: &[crate::trouble::CONNECTING, crate::trouble::ANSWERING, crate::trouble::REPLYING],
    },
    Section {
        name: "test_config",
        title: "The original's test_config.py",
        about: "Tests of its internals stand for what an operator sees of them.",
        cases: &[crate::original_config::CASES],
    },
    Section {
        name: "test_parser",
        title: "The original's test_parser.py",
        about: "With its three endpoints: `POST /v1.16/containers/create`, \
                `GET /v1.16/images/*/json` and `* /v*/images/*/json`.",
        cases: &[crate::original_config::PARSER],
    },
    Section {
        name: "test_core",
        title: "The original's test_core.py",
        about: "Ten of them were skipped as \"not implemented yet\"; their names say what was \
                meant, and they are implemented here.",
        cases: &[crate::original_proxy::PASSED, crate::original_proxy::NOT_YET],
    },
    Section {
        name: "test_testtools",
        title: "The original's test_testtools.py",
        about: "The stand-ins of this suite do what the original's did.",
        cases: &[crate::original_proxy::TOOLS],
    },
    Section {
        name: "test_passthru",
        title: "The original's test_passthru.py",
        about: "The real client on a real Docker Engine, straight and through Powerstrip: the same \
                is printed.",
        cases: &[crate::original_engine::CASES],
    },
];
