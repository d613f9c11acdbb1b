//! Source positions of the values in a JSON text, and its duplicate members; serde_json discards both.
//!
//! Not here: syntax errors (`parse`).

use std::{borrow::Cow, collections::HashSet};

/// A value of a well-formed JSON text, with its offset; a member begins with its name.
pub(super) struct Node<'a> {
    at: usize,
    inside: Inside<'a>,
}

enum Inside<'a> {
    Nothing,
    Elements(Vec<Node<'a>>),
    Members(Vec<(Cow<'a, str>, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// Reads a text that serde_json has parsed before: it is well-formed and not deep.
    pub(super) fn read(text: &'a str) -> Self {
        Walk { text, at: 0 }.value()
    }

    /// Returns the offset of the value at a JSON pointer; for a missing one, of its nearest existing parent.
    pub(super) fn find(&self, pointer: &str) -> usize {
        let mut node = self;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let next = match &node.inside {
                Inside::Nothing => None,
                Inside::Elements(elements) => step.parse().ok().and_then(|index: usize| elements.get(index)),
                Inside::Members(members) => members.iter().rfind(|(name, _)| *name == step).map(|(_, node)| node),
            };
            let Some(next) = next else { break };
            node = next;
        }
        node.at
    }

    /// Returns every duplicate member of an object: its pointer, name and offset.
    pub(super) fn duplicates(&self) -> Vec<(String, &str, usize)> {
        let mut found = Vec::new();
        self.collect_duplicates("", &mut found);
        found
    }

    fn collect_duplicates<'n>(&'n self, pointer: &str, found: &mut Vec<(String, &'n str, usize)>) {
        match &self.inside {
            Inside::Nothing => {}
            Inside::Elements(elements) => {
                for (index, node) in elements.iter().enumerate().filter(|(_, node)| node.is_branch()) {
                    node.collect_duplicates(&format!("{pointer}/{index}"), found);
                }
            }
            Inside::Members(members) => {
                let mut names = HashSet::with_capacity(members.len());
                for (name, node) in members {
                    let is_new = names.insert(name.as_ref());
                    if is_new && !node.is_branch() {
                        continue;
                    }
                    let pointer = join(pointer, name);
                    if !is_new {
                        found.push((pointer.clone(), name.as_ref(), node.at));
                    }
                    node.collect_duplicates(&pointer, found);
                }
            }
        }
    }

    fn is_branch(&self) -> bool {
        !matches!(self.inside, Inside::Nothing)
    }
}

/// Maximum length of a reported pointer. A longer one ends at the object, so that a hostile document with long names
/// within each other does not become a thousand times itself.
const LONGEST_POINTER: usize = 250;

fn join(pointer: &str, name: &str) -> String {
    if pointer.len() + name.len() > LONGEST_POINTER {
        return pointer.to_owned();
    }
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Reads on from `at`. The expected characters are there, or serde_json would have complained.
struct Walk<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Walk<'a> {
    fn value(&mut self) -> Node<'a> {
        self.skip_space();
        let at = self.at;
        let inside = match self.peek() {
            Some(b'[') => Inside::Elements(self.list(b']', Self::value)),
            Some(b'{') => Inside::Members(self.list(b'}', Self::member)),
            Some(b'"') => {
                self.string();
                Inside::Nothing
            }
            _ => {
                self.skip_while(|byte| !matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n'));
                Inside::Nothing
            }
        };
        Node { at, inside }
    }

    fn member(&mut self) -> (Cow<'a, str>, Node<'a>) {
        self.skip_space();
        let at = self.at;
        let quoted = self.string();
        // Without an escape the name is the text between the quotation marks.
        let name = match quoted.contains('\\') {
            true => Cow::Owned(serde_json::from_str(quoted).unwrap_or_default()),
            false => Cow::Borrowed(quoted.trim_matches('"')),
        };
        self.skip_space();
        self.at += 1;
        (name, Node { at, ..self.value() })
    }

    fn list<T>(&mut self, end: u8, item: fn(&mut Self) -> T) -> Vec<T> {
        let mut items = Vec::new();
        self.at += 1;
        self.skip_space();
        while self.peek().is_some_and(|byte| byte != end) {
            items.push(item(self));
            self.skip_space();
            if self.peek() == Some(b',') {
                self.at += 1;
                self.skip_space();
            }
        }
        self.at += 1;
        items
    }

    fn string(&mut self) -> &'a str {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_found() {
        let text = "{\"a\": [1, {\"b/c\": \"x\\\"]\"}, [] ],\n \"d\\u0065\": -1e3 , \"e\":{}}";
        let node = Node::read(text);
        for (pointer, begins) in [
            ("", "{\"a\""),
            ("/a", "\"a\""),
            ("/a/0", "1,"),
            ("/a/1/b~1c", "\"b/c\""),
            ("/a/2", "[] ]"),
            ("/de", "\"d\\u0065\""),
            ("/e", "\"e\":{}"),
            ("/e/missing", "\"e\":{}"),
            ("/a/9", "\"a\""),
            ("/nowhere", "{\"a\""),
        ] {
            assert!(text[node.find(pointer)..].starts_with(begins), "{pointer}");
        }
        assert_eq!(node.duplicates(), []);
    }

    #[test]
    fn a_member_that_comes_twice_is_found_where_it_comes_again() {
        let text = r#"{"a": 1, "b": [{"c": 1, "\u0063": 2}], "a": 3}"#;
        let node = Node::read(text);
        let found: Vec<_> =
            node.duplicates().into_iter().map(|(pointer, _, at)| (pointer, &text[at..at + 3])).collect();
        assert_eq!(found, [("/b/0/c".to_owned(), "\"\\u"), ("/a".to_owned(), "\"a\"")]);
        assert_eq!(node.find("/a"), text.rfind("\"a\"").unwrap(), "the last one counts");
    }
}
