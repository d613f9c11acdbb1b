//! The published document of a dialect, compiled: a schema for each request body, and in strict mode for every
//! response.
//!
//! It is compiled from the same text that is served and committed, so the document is enforced as published.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jsonschema::{Registry, Validator};
use poem::http::{HeaderMap, Method, header::CONTENT_TYPE};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{
    fault::Protocol,
    schema::{each_schema, modernise},
    violations,
};
use crate::domain::error::{Violation, clip};

/// URI of the document, for the compiler's references.
const DOCUMENT: &str = "urn:tieline:document";

/// Methods that a document can describe.
const METHODS: [(&str, Method); 7] = [
    ("get", Method::GET),
    ("post", Method::POST),
    ("put", Method::PUT),
    ("patch", Method::PATCH),
    ("delete", Method::DELETE),
    ("head", Method::HEAD),
    ("options", Method::OPTIONS),
];

/// A compiled document.
pub struct Contract {
    /// Paths by the router's pattern, such as `/v1/channels/:param0`.
    paths: HashMap<String, PathContract>,
    /// Error response of the first operation that documents one. Filled in strict mode alone.
    failure: Option<Arc<Answer>>,
}

/// Contract of one path.
pub struct PathContract {
    /// As documented, such as `/v1/channels/{id}`.
    pub path: String,
    /// Names of the parameters in the path, in order.
    pub parameters: Vec<String>,
    /// Supported methods, for `Allow`.
    pub allow: Vec<&'static str>,
    operations: Vec<(Method, Operation)>,
}

/// Contract of one operation.
pub struct Operation {
    /// Names of the query parameters; `None` for a page of a browser, to which a provider may add parameters of its own.
    query: Option<Vec<String>>,
    body: Option<Arc<Validator>>,
    /// Filled in strict mode alone.
    responses: BTreeMap<u16, Arc<Answer>>,
}

/// Contract of one response.
#[derive(Default)]
struct Answer {
    /// Schemas by media type; empty for a response without a body.
    content: BTreeMap<String, Arc<Validator>>,
    headers: Vec<Header>,
}

/// Contract of one header.
struct Header {
    name: String,
    required: bool,
    is_text: bool,
    schema: Arc<Validator>,
}

impl Contract {
    /// Compiles a published OpenAPI 3.0 document. With `responses`, responses can be checked too.
    ///
    /// # Errors
    /// The location in the document that cannot be compiled, and the reason.
    pub fn compile(mut document: Value, responses: bool) -> Result<Self, String> {
        each_schema(&mut document, &mut modernise);
        let registry = Registry::new().add(DOCUMENT, &document).and_then(|registry| registry.prepare());
        let registry = registry.map_err(|error| error.to_string())?;
        let mut compiler = Compiler { document: &document, registry: &registry, known: HashMap::new() };
        let mut paths = HashMap::new();
        for (path, item) in entries(document.get("paths")) {
            let mut contract = PathContract::new(path);
            for (name, method) in METHODS {
                let Some(operation) = item.get(name) else { continue };
                let operation = compiler.operation(operation, responses);
                let operation = operation.map_err(|error| format!("{name} {path}: {error}"))?;
                contract.operations.push((method, operation));
            }
            contract.allow = allow(&contract.operations);
            paths.insert(pattern(path), contract);
        }
        let operations = paths.values().flat_map(|path: &PathContract| &path.operations);
        let failure = operations.filter_map(|(_, operation)| operation.responses.get(&500)).next().cloned();
        Ok(Self { paths, failure })
    }

    /// Returns the contract of the path that the router matched.
    pub fn path(&self, pattern: &str) -> Option<&PathContract> {
        self.paths.get(pattern)
    }

    /// Returns the contract of a requested path, such as `/v1/channels/1`; of several matches, the most literal one.
    pub fn find(&self, path: &str) -> Option<&PathContract> {
        let is_parameter = |segment: &str| segment.starts_with('{');
        let fits = |contract: &&PathContract| {
            let (ours, theirs): (Vec<_>, Vec<_>) = (contract.path.split('/').collect(), path.split('/').collect());
            ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|(one, other)| is_parameter(one) || one == other)
        };
        let parameters = |contract: &&PathContract| contract.parameters.len();
        self.paths.values().filter(fits).min_by_key(parameters)
    }

    /// Checks a response that does not come from an operation, such as to an unknown path or method: it has to match
    /// the schema of errors.
    ///
    /// # Errors
    /// The difference from the document.
    pub fn check_stray(&self, headers: &HeaderMap, body: Option<&[u8]>) -> Result<(), String> {
        self.failure.as_ref().map_or(Ok(()), |failure| failure.check(headers, body))
    }
}

impl PathContract {
    fn new(path: &str) -> Self {
        let names = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
        let parameters = names.map(str::to_owned).collect();
        Self { path: path.to_owned(), parameters, allow: Vec::new(), operations: Vec::new() }
    }

    /// Returns the contract of a method; `HEAD` has that of `GET`.
    pub fn operation(&self, method: &Method) -> Option<&Operation> {
        let find = |wanted: &Method| self.operations.iter().find(|(method, _)| method == wanted).map(|(_, o)| o);
        find(method).or_else(|| if method == Method::HEAD { find(&Method::GET) } else { None })
    }

    /// Returns the public name of a parameter: the router names those in the path `param0`, `param1`.
    pub fn parameter<'a>(&'a self, name: &'a str) -> &'a str {
        let index = name.strip_prefix("param").and_then(|index| index.parse::<usize>().ok());
        index.and_then(|index| self.parameters.get(index)).map_or(name, String::as_str)
    }
}

impl Operation {
    /// Refuses a query with a parameter that the document does not name.
    ///
    /// # Errors
    /// [`Protocol::Parameter`] with the names of the documented parameters.
    pub fn check_query(&self, query: &str) -> Result<(), Protocol> {
        let Some(known) = &self.query else { return Ok(()) };
        let mut sent = form_urlencoded::parse(query.as_bytes());
        let Some((name, _)) = sent.find(|(name, _)| !known.iter().any(|known| known == name)) else { return Ok(()) };
        let reason = match known.as_slice() {
            [] => "is not known here; this operation has no parameters in the query".to_owned(),
            known => format!("is not known here; this operation has {}", known.join(", ")),
        };
        Err(Protocol::Parameter { name: clip(&name).into_owned(), reason })
    }

    /// Validates a request body.
    ///
    /// # Errors
    /// Every violation of the document.
    pub fn check_body(&self, body: &Value) -> Result<(), Vec<Violation>> {
        match &self.body {
            Some(validator) if !validator.is_valid(body) => Err(violations::list(validator, body)),
            Some(_) | None => Ok(()),
        }
    }

    /// Checks a response: its status, headers, media type and body, which `HEAD` does not have. Always succeeds unless
    /// compiled with `responses`.
    ///
    /// # Errors
    /// The difference from the document.
    pub fn check_response(&self, status: u16, headers: &HeaderMap, body: Option<&[u8]>) -> Result<(), String> {
        if self.responses.is_empty() {
            return Ok(());
        }
        let answer = self.responses.get(&status).ok_or_else(|| format!("status {status} is not documented"))?;
        answer.check(headers, body).map_err(|difference| format!("status {status}: {difference}"))
    }
}

impl Answer {
    fn check(&self, headers: &HeaderMap, body: Option<&[u8]>) -> Result<(), String> {
        for header in &self.headers {
            header.check(headers)?;
        }
        let Some(body) = body else { return Ok(()) };
        if self.content.is_empty() {
            return if body.is_empty() { Ok(()) } else { Err("it is documented without a body".into()) };
        }
        let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        let Some(validator) = self.content.get(essence) else {
            return Err(format!("it is not documented with the media type {essence:?}"));
        };
        if !essence.ends_with("json") {
            return Ok(());
        }
        let body: Value = serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
        if validator.is_valid(&body) {
            return Ok(());
        }
        let all = violations::list(validator, &body);
        let all: Vec<_> = all.iter().map(|v| format!("{:?} {}", v.field, v.message)).collect();
        Err(all.join("; "))
    }
}

impl Header {
    fn check(&self, headers: &HeaderMap) -> Result<(), String> {
        let Some(value) = headers.get(&self.name) else {
            return if self.required { Err(format!("it lacks the header {}", self.name)) } else { Ok(()) };
        };
        let text = value.to_str().map_err(|_| format!("the header {} is not plain text", self.name))?;
        let read = || serde_json::from_str(text).ok().filter(|_| !self.is_text);
        let value: Value = read().unwrap_or_else(|| text.into());
        if self.schema.is_valid(&value) {
            return Ok(());
        }
        Err(format!("the header {} has a value outside its schema: {text:?}", self.name))
    }
}

/// Compiles schemas, each named one once.
struct Compiler<'a> {
    document: &'a Value,
    registry: &'a Registry<'a>,
    known: HashMap<String, Arc<Validator>>,
}

impl Compiler<'_> {
    fn operation(&mut self, operation: &Value, responses: bool) -> Result<Operation, String> {
        let body = operation.pointer("/requestBody/content/application~1json/schema");
        let body = body.map(|schema| self.schema(schema)).transpose()?;
        let query = query_parameters(operation);
        let mut answers = BTreeMap::new();
        for (status, response) in entries(operation.get("responses")).filter(|_| responses) {
            let status: u16 = status.parse().map_err(|_| format!("the status {status} is not a number"))?;
            let mut answer = Answer::default();
            let shared = response.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix('#'));
            let response = shared.map_or(Some(response), |place| self.document.pointer(place));
            let response = response.ok_or_else(|| format!("the response {status} refers to nothing"))?;
            for (media_type, media) in entries(response.get("content")) {
                answer.content.insert(media_type.clone(), self.schema(&media["schema"])?);
            }
            for (name, header) in entries(response.get("headers")) {
                answer.headers.push(Header {
                    name: name.clone(),
                    required: header["required"] == true,
                    is_text: header["schema"]["type"] == "string",
                    schema: self.schema(&header["schema"])?,
                });
            }
            answers.insert(status, Arc::new(answer));
        }
        Ok(Operation { query, body, responses: answers })
    }

    fn schema(&mut self, schema: &Value) -> Result<Arc<Validator>, String> {
        let name = schema.get("$ref").and_then(Value::as_str);
        if let Some(known) = name.and_then(|name| self.known.get(name)) {
            return Ok(known.clone());
        }
        // References are relative to the document, independent of the schema's location.
        let mut absolute = json!({ "": schema });
        absolute_references(&mut absolute);
        let options = jsonschema::options().with_registry(self.registry).should_validate_formats(true);
        let built = options.should_ignore_unknown_formats(true).build(&absolute[""]);
        let built = Arc::new(built.map_err(|error| error.to_string())?);
        if let Some(name) = name {
            self.known.insert(name.to_owned(), built.clone());
        }
        Ok(built)
    }
}

fn query_parameters(operation: &Value) -> Option<Vec<String>> {
    let is_page = |(_, response): (_, &Value)| response.pointer("/content/text~1html").is_some();
    if entries(operation.get("responses")).any(is_page) {
        return None;
    }
    let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let of_query = parameters.filter(|parameter| parameter["in"] == "query");
    Some(of_query.filter_map(|parameter| parameter["name"].as_str()).map(str::to_owned).collect())
}

fn absolute_references(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object.iter_mut() {
                match inner {
                    Value::String(to) if key == "$ref" && to.starts_with('#') => *to = format!("{DOCUMENT}{to}"),
                    inner => absolute_references(inner),
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(absolute_references),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Returns the router's pattern of a documented path: `/a/{id}/b` is `/a/:param0/b`.
fn pattern(path: &str) -> String {
    let mut count = 0;
    let segment = |segment: &str| {
        if !segment.starts_with('{') {
            return segment.to_owned();
        }
        count += 1;
        format!(":param{}", count - 1)
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

fn allow(operations: &[(Method, Operation)]) -> Vec<&'static str> {
    let has = |wanted: &Method| operations.iter().any(|(method, _)| method == wanted);
    // GET answers HEAD too.
    let works = |method: &Method| has(method) || (method == Method::HEAD && has(&Method::GET));
    let upper = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    METHODS.iter().zip(upper).filter(|((_, method), _)| works(method)).map(|(_, name)| name).collect()
}

fn entries(object: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    object.and_then(Value::as_object).into_iter().flatten()
}

#[cfg(test)]
mod tests;
