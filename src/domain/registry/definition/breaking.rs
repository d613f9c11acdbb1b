//! Compares a version with the next one for breaking changes. Values that dependents send have to be accepted as
//! before, and values that they receive have to be as before; the integration's private parts do not matter.
//!
//! Not here: the comparison of schemas (`compat`).

use serde_json::{Map, Value};

use super::{
    Definition, Issue,
    compat::{Comparison, Direction, MAX_COMPARED},
    issue::{Location, Rule},
};

/// Returns the changes that break dependents of the former definition, each with its location. Whether a breaking
/// change is allowed depends on the versions, see [`Version::same_line`](super::Version::same_line).
///
/// A removed member is reported at its former location.
pub fn breaking_changes(former: &Definition, next: &Definition) -> Vec<Issue> {
    let promise = format!("version {} promised", former.version);
    let comparison = Comparison::new(Rule::BreakingChange, promise, MAX_COMPARED);
    let mut check = Check { comparison, former, next };
    check.configurations();
    check.states();
    check.events();
    check.actions();
    check.entities();
    check.channels();
    check.tagged((&former.user, &next.user), &Location::BODY.key("user"));
    check.each("interfaces", |definition| &definition.interfaces, |_, _, _| {});
    check.comparison.finish()
}

struct Check<'a> {
    comparison: Comparison<'a>,
    former: &'a Definition,
    next: &'a Definition,
}

impl<'a> Check<'a> {
    fn configurations(&mut self) {
        let one = (&self.former.configuration, &self.next.configuration);
        self.configuration(one, &Location::BODY.key("configuration"));
        self.each(
            "configurations",
            |definition| &definition.configurations,
            |check, pair, at| {
                if let (Value::Object(former), Value::Object(next)) = pair {
                    check.configuration((former, next), at);
                }
            },
        );
    }

    fn configuration(&mut self, pair: (&'a Map<String, Value>, &'a Map<String, Value>), at: &Location<'_>) {
        let (Some(former), Some(next)) = (pair.0.get("schema"), pair.1.get("schema")) else { return };
        self.comparison.compare(Direction::Set, (former, next), &at.key("schema"));
        let required = |map: &Map<String, Value>| {
            map.get("identifier").is_some_and(|identifier| identifier["required"].as_bool().unwrap_or_default())
        };
        if required(pair.1) && !required(pair.0) {
            self.say(&at.key("identifier").key("required"), "became true");
        }
    }

    fn states(&mut self) {
        self.each(
            "states",
            |definition| &definition.states,
            |check, (former, next), at| {
                if former["type"] != next["type"] {
                    check.say(&at.key("type"), "is another one");
                }
                // The next version has to read stored values.
                check.comparison.compare(Direction::Taken, (&former["schema"], &next["schema"]), &at.key("schema"));
            },
        );
    }

    fn events(&mut self) {
        self.each(
            "events",
            |definition| &definition.events,
            |check, (former, next), at| {
                check.comparison.compare(Direction::Given, (&former["schema"], &next["schema"]), &at.key("schema"));
            },
        );
    }

    fn actions(&mut self) {
        self.each(
            "actions",
            |definition| &definition.actions,
            |check, (former, next), at| {
                for (member, direction) in [("input", Direction::Taken), ("output", Direction::Given)] {
                    let pair = (&former[member]["schema"], &next[member]["schema"]);
                    check.comparison.compare(direction, pair, &at.key(member).key("schema"));
                }
            },
        );
    }

    fn entities(&mut self) {
        self.each(
            "entities",
            |definition| &definition.entities,
            |check, (former, next), at| {
                check.comparison.compare(Direction::Given, (&former["schema"], &next["schema"]), &at.key("schema"));
            },
        );
    }

    fn channels(&mut self) {
        self.each(
            "channels",
            |definition| &definition.channels,
            |check, (former, next), at| {
                let messages = (&former["messages"], &next["messages"]);
                check.entries(messages, &at.key("messages"), |check, (former, next), at| {
                    check.comparison.compare(Direction::Taken, (&former["schema"], &next["schema"]), &at.key("schema"));
                });
                if let (Value::Object(former), Value::Object(next)) = (&former["conversation"], &next["conversation"]) {
                    check.tagged((former, next), &at.key("conversation"));
                }
                let tags = (&former["message"]["tags"], &next["message"]["tags"]);
                check.entries(tags, &at.key("message").key("tags"), |_, _, _| {});
            },
        );
    }

    /// Compares an object with tags that dependents may create.
    fn tagged(&mut self, (former, next): (&'a Map<String, Value>, &'a Map<String, Value>), at: &Location<'_>) {
        if let (Some(former), Some(next)) = (former.get("tags"), next.get("tags")) {
            self.entries((former, next), &at.key("tags"), |_, _, _| {});
        }
        let (Some(former), Some(next)) = (former.get("creation"), next.get("creation")) else { return };
        if former["enabled"] != Value::Bool(true) {
            return;
        }
        let at = at.key("creation");
        if next["enabled"] != Value::Bool(true) {
            return self.say(&at.key("enabled"), "became false");
        }
        let known = former["requiredTags"].as_array().map_or(&[][..], Vec::as_slice);
        for (index, tag) in next["requiredTags"].as_array().into_iter().flatten().enumerate() {
            if !known.contains(tag) {
                self.say(&at.key("requiredTags").index(index), "was not required");
            }
        }
    }

    /// Compares each entry of a map of definitions.
    fn each(
        &mut self,
        name: &str,
        of: impl Fn(&'a Definition) -> &'a Map<String, Value>,
        compare: impl FnMut(&mut Self, (&'a Value, &'a Value), &Location<'_>),
    ) {
        self.maps((of(self.former), of(self.next)), &Location::BODY.key(name), compare);
    }

    fn entries(
        &mut self,
        (former, next): (&'a Value, &'a Value),
        at: &Location<'_>,
        compare: impl FnMut(&mut Self, (&'a Value, &'a Value), &Location<'_>),
    ) {
        if let (Value::Object(former), Value::Object(next)) = (former, next) {
            self.maps((former, next), at, compare);
        }
    }

    fn maps(
        &mut self,
        (former, next): (&'a Map<String, Value>, &'a Map<String, Value>),
        at: &Location<'_>,
        mut compare: impl FnMut(&mut Self, (&'a Value, &'a Value), &Location<'_>),
    ) {
        for (key, former) in former {
            let at = at.key(key);
            match next.get(key) {
                Some(next) => compare(self, (former, next), &at),
                None => self.say(&at, "is gone"),
            }
        }
    }

    fn say(&mut self, at: &Location<'_>, says: &str) {
        self.comparison.say(at, says);
    }
}
