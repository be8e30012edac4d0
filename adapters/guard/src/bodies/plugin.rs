//! Managed plugins, which run with whatever privileges the client grants them.

use serde_json::Value;

use super::{limits, unless_listed};
use crate::config::Sections;
use crate::draft::Draft;
use crate::json::{text, texts};
use crate::reference::Reference;
use crate::refusal::{Judged, Reasons, Refusal};
use crate::take::Take;

/// `POST /plugins/pull` and `…/upgrade`.
pub(super) fn pull(draft: &Draft, sections: &Sections) -> Judged {
    let Some(plugins) = limits(&sections.plugins) else { return Ok(()) };
    let mut reasons = Reasons::default();
    let remote = draft.parameter("remote").unwrap_or_default();
    let source = Reference::parse(&remote).or_latest();
    let sources = plugins.sources.as_deref().unwrap_or_default();
    if !sources.iter().any(|pattern| source.matches(pattern)) {
        let help = format!("plugins.sources: [\"{remote}\"]");
        let take = Take::Entry("plugins.sources", source.as_pattern());
        reasons.put(format!("the plugin {remote}"), help, Some(take));
    }
    let granted = match draft.body() {
        Value::Null => &[][..],
        Value::Array(list) => list,
        _ => return Err(Refusal::Unclear("its body is not a list of privileges".to_owned())),
    };
    for privilege in granted {
        let name = text(privilege, "Name")?;
        for value in texts(privilege, "Value")? {
            let asked = format!("{name}={value}");
            let list = (plugins.privileges.as_ref(), "plugins.privileges");
            unless_listed(&mut reasons, list, ("the privilege", &asked));
        }
    }
    reasons.judge()
}

/// A plugin of the client's own making, or with other settings than it was granted for.
pub(super) fn change(sections: &Sections) -> Judged {
    let mut reasons = Reasons::default();
    if limits(&sections.plugins).is_some() {
        reasons.add("a plugin's settings", Take::Any("plugins"));
    }
    reasons.judge()
}
