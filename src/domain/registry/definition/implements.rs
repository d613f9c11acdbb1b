//! Interfaces that an integration implements: its statement is completed, and compared with each of them.
//!
//! An interface's schema may refer to an entity of the interface by name; the integration says which of its own
//! entities takes that place. Not here: the comparison of schemas (`compat`).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    Definition, DefinitionKind, Issue, MAX_ISSUES,
    compat::{Comparison, Direction, MAX_COMPARED},
    issue::{Issues, Location, Rule},
    json_schema::{each_reference, is_entity},
};
use crate::domain::{
    ids::IntegrationId,
    registry::{PublicId, public_id},
};

/// Bytes of a schema that cost as much as the comparison of a pair of schemas.
const BYTES_OF_A_PAIR: usize = 100;

/// Work that is left for the interfaces of one integration, so that a body cannot ask for much of it.
#[derive(Clone, Copy, Debug)]
pub struct Effort(pub(super) usize);

impl Default for Effort {
    fn default() -> Self {
        Self(MAX_COMPARED)
    }
}

impl Definition {
    /// Returns the ids of the implemented interfaces, each once: as they are written, and parsed where they are ids.
    pub fn implemented(&self) -> BTreeMap<String, Option<IntegrationId>> {
        let parsed = |id: &str| public_id(PublicId::INTERFACE, id).map(IntegrationId);
        self.interfaces.values().filter_map(|one| one["id"].as_str()).map(|id| (id.to_owned(), parsed(id))).collect()
    }

    /// Completes each statement about the interface with this id, and returns what the integration lacks of it. `found`
    /// is the interface, if there is one.
    pub fn implement(
        &mut self,
        id: &str,
        found: Option<(IntegrationId, &Definition)>,
        left: &mut Effort,
    ) -> Vec<Issue> {
        let mut issues = Issues::default();
        let all = Location::BODY.key("interfaces");
        let aliases: Vec<String> =
            self.interfaces.iter().filter(|(_, one)| one["id"] == id).map(|(alias, _)| alias.clone()).collect();
        let mut unmet = Vec::new();
        for alias in aliases {
            let at = all.key(&alias);
            let Some((version_id, interface)) = found else {
                let says = "must be the id of an interface: your workspace's own, or a public one";
                issues.add_found(Rule::Interface, &at.key("id"), says, id);
                continue;
            };
            let Some(statement) = self.interfaces.get_mut(&alias) else { continue };
            complete(statement, version_id, interface);
            let statement = statement.clone();
            let check = Check { interface, integration: self, statement: &statement };
            check.members(&at, &mut issues);
            if issues.is_empty() {
                unmet.extend(check.schemas(left));
            }
        }
        issues.finish().into_iter().chain(unmet).take(MAX_ISSUES).collect()
    }
}

static NOTHING: Value = Value::Null;

/// The parts of an interface, and of an integration's statement about it.
const PARTS: [&str; 4] = ["entities", "actions", "events", "channels"];

fn part<'a>(definition: &'a Definition, name: &str) -> &'a Map<String, Value> {
    match name {
        "entities" => &definition.entities,
        "actions" => &definition.actions,
        "events" => &definition.events,
        _ => &definition.channels,
    }
}

fn entry<'a>(map: &'a Map<String, Value>, key: &str) -> &'a Value {
    map.get(key).unwrap_or(&NOTHING)
}

/// Completes a statement. A member that is not mapped has its name in the interface.
fn complete(statement: &mut Value, id: IntegrationId, interface: &Definition) {
    statement["id"] = PublicId { prefix: PublicId::INTERFACE, id: id.0 }.to_string().into();
    statement["name"] = interface.name.as_str().into();
    statement["version"] = interface.version.to_string().into();
    for kind in PARTS {
        for name in part(interface, kind).keys() {
            if statement[kind].get(name).is_none() {
                statement[kind][name] = json!({ "name": name });
            }
        }
    }
}

struct Check<'a> {
    interface: &'a Definition,
    integration: &'a Definition,
    statement: &'a Value,
}

impl Check<'_> {
    /// Checks that each member of the interface is there, and nothing else is mapped.
    fn members(&self, at: &Location<'_>, issues: &mut Issues) {
        let (name, version) = (&self.interface.name, &self.interface.version);
        for kind in PARTS {
            let (asked, there) = (part(self.interface, kind), part(self.integration, kind));
            let at = at.key(kind);
            for (key, mapped) in self.statement[kind].as_object().into_iter().flatten() {
                let own = mapped["name"].as_str().unwrap_or_default();
                if !asked.contains_key(key) {
                    let says = format_args!("is not one of the {kind} of {name} {version}");
                    issues.add(Rule::Interface, &at.key(key), says);
                } else if !there.contains_key(own) {
                    let says =
                        format_args!("must be the name of one of the {kind} of the integration: {name} asks for it");
                    issues.add_found(Rule::Interface, &at.key(key).key("name"), says, own);
                } else if kind == "channels" {
                    self.messages((key, own), issues);
                }
            }
        }
    }

    fn messages(&self, (key, own): (&str, &str), issues: &mut Issues) {
        let (channels, messages) =
            (Location::BODY.key("channels"), &entry(&self.integration.channels, own)["messages"]);
        let asked = entry(&self.interface.channels, key)["messages"].as_object().into_iter().flatten();
        for (message, _) in asked.filter(|(message, _)| messages.get(message.as_str()).is_none()) {
            let (name, version) = (&self.interface.name, &self.interface.version);
            let says = format_args!("lacks the message {message:?}, which {name} {version} asks for");
            issues.add(Rule::Implementation, &channels.key(own).key("messages"), says);
        }
    }

    /// Compares each schema that the interface asks for with the integration's.
    fn schemas(&self, left: &mut Effort) -> Vec<Issue> {
        let mut found = Vec::new();
        for kind in PARTS {
            for (key, asked) in part(self.interface, kind) {
                let Some(own) = self.statement[kind][key]["name"].as_str() else { continue };
                let there = entry(part(self.integration, kind), own);
                for (direction, path) in places(kind, asked) {
                    if left.0 == 0 {
                        let says = format_args!("is too intricate to be compared with {}", self.interface.name);
                        found.push(Issue::new(Rule::Implementation, "", says));
                    }
                    if left.0 == 0 || found.len() >= MAX_ISSUES {
                        return found;
                    }
                    let at: Vec<&str> = [kind, own].into_iter().chain(path.iter().copied()).collect();
                    let (asked, there) = (at_path(asked, &path), at_path(there, &path));
                    found.extend(self.compare((direction, asked, there), &at, left));
                }
            }
        }
        found
    }

    fn compare(
        &self,
        (direction, asked, there): (Direction, &Value, &Value),
        at: &[&str],
        left: &mut Effort,
    ) -> Vec<Issue> {
        let asked = self.with_entities(asked, left);
        let promise = format!("the interface {} {} asks for", self.interface.name, self.interface.version);
        let mut comparison = Comparison::new(Rule::Implementation, promise, left.0);
        located(&Location::BODY, at, &mut |at| comparison.compare(direction, (&asked, there), at));
        left.0 = comparison.left().saturating_sub(1);
        comparison.finish()
    }

    /// Returns a schema of the interface with the integration's entities in the places of the interface's.
    fn with_entities(&self, schema: &Value, left: &mut Effort) -> Value {
        let mut schema = schema.clone();
        let taken = |key: &str| schema["definitions"].get(key).is_some();
        let mut prefix = "entity".to_owned();
        while self.interface.entities.keys().enumerate().any(|(index, _)| taken(&format!("{prefix}{index}"))) {
            prefix.push('_');
        }
        let mut used: BTreeMap<String, Value> = BTreeMap::new();
        each_reference(&mut schema, &mut |reference| {
            let Some(index) = self.interface.entities.keys().position(|name| name == reference) else { return };
            let key = format!("{prefix}{index}");
            let own = self.statement["entities"][reference.as_str()]["name"].as_str().unwrap_or_default();
            let entity = &entry(&self.integration.entities, own)["schema"];
            *reference = format!("#/definitions/{key}");
            used.entry(key.clone()).or_insert_with(|| moved(entity, &key));
        });
        let bytes = used.values().map(|entity| entity.to_string().len()).sum::<usize>();
        left.0 = left.0.saturating_sub(bytes / BYTES_OF_A_PAIR);
        for (key, entity) in used {
            schema["definitions"][key] = entity;
        }
        schema
    }
}

/// Returns a schema for a place among the definitions of another one: its references lead there too.
fn moved(schema: &Value, key: &str) -> Value {
    let mut schema = schema.clone();
    each_reference(&mut schema, &mut |reference| {
        if let Some(rest) = reference.strip_prefix('#') {
            *reference = format!("#/definitions/{key}{rest}");
        }
    });
    schema
}

/// Returns the schemas within a member of an interface, each with the direction of its values: those that a caller
/// sends have to be taken, and those that it receives have to be as it expects.
fn places<'a>(kind: &str, asked: &'a Value) -> Vec<(Direction, Vec<&'a str>)> {
    match kind {
        "actions" => vec![(Direction::Taken, vec!["input", "schema"]), (Direction::Given, vec!["output", "schema"])],
        "channels" => {
            let messages = asked["messages"].as_object().into_iter().flatten();
            messages.map(|(name, _)| (Direction::Taken, vec!["messages", name.as_str(), "schema"])).collect()
        }
        _ => vec![(Direction::Given, vec!["schema"])],
    }
}

fn at_path<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |value, step| &value[*step])
}

/// Passes the location of a path.
fn located(at: &Location<'_>, path: &[&str], pass: &mut dyn FnMut(&Location<'_>)) {
    match path {
        [] => pass(at),
        [step, rest @ ..] => located(&at.key(step), rest, pass),
    }
}

/// Checks that the entities to which an interface's schemas refer are the interface's own.
pub(super) fn entities(definition: &Definition, issues: &mut Issues) {
    if definition.kind != DefinitionKind::Interface {
        return;
    }
    for kind in PARTS {
        for (key, member) in part(definition, kind) {
            for (_, path) in places(kind, member) {
                let at: Vec<&str> = [kind, key.as_str()].into_iter().chain(path.iter().copied()).collect();
                each_reference(&mut at_path(member, &path).clone(), &mut |reference| {
                    let is_known = kind != "entities" && definition.entities.contains_key(reference.as_str());
                    if is_entity(reference) && !is_known {
                        let says =
                            "must refer to a place within the schema, or by its name to an entity of the interface";
                        located(&Location::BODY, &at, &mut |at| {
                            issues.add_found(Rule::JsonSchema, at, says, reference);
                        });
                    }
                });
            }
        }
    }
}
