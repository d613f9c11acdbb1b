//! The allowed shape of a body, as tables: [`BODY`] is read by the walk that checks (`check.rs`) and by the one that
//! merges (`merge.rs`), so the two cannot disagree.
//!
//! Not here: rules across members (`outcome`).

/// Maximum number of channels of an integration.
pub const MAX_CHANNELS: usize = 10;
/// Maximum number of message types of a channel.
pub const MAX_MESSAGES: usize = 20;
/// Maximum number of event definitions.
pub const MAX_EVENTS: usize = 20;
/// Maximum number of state definitions.
pub const MAX_STATES: usize = 20;
/// Maximum number of tag definitions in one object.
pub const MAX_TAGS: usize = 50;
/// Maximum number of secrets.
pub const MAX_SECRETS: usize = 25;
/// Maximum number of entries of maps for which the product names no limit, so that there is one.
pub const MAX_ENTRIES: usize = 1_000;
/// Maximum number of layers.
pub const MAX_LAYERS: usize = 100;

/// Allowed shape of a value.
pub(super) enum Shape {
    /// A text with a length between two bounds.
    Text { least: usize, most: usize },
    /// The name of an integration.
    Name,
    /// A version.
    Version,
    /// The id of an interface.
    Id,
    /// An absolute HTTP address.
    Url,
    /// Code: a text that is never shown.
    Code,
    /// A secret: a text that is never shown, not even in part.
    Secret,
    /// An SVG in Base64.
    Icon,
    /// Markdown in Base64.
    Readme,
    /// A truth value.
    Flag,
    /// A time in whole seconds.
    Seconds,
    /// One of the enum values.
    Choice(&'static [&'static str]),
    /// A JSON schema.
    Schema,
    /// A list.
    List { of: &'static Shape, most: usize },
    /// An object of known members.
    Object { fields: &'static [Field], merge: Merge },
    /// An object of free keys.
    Map { of: &'static Shape, keys: Keys, most: usize, null: Null },
}

/// Merge behaviour of an existing object in an update.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Merge {
    /// Each given member replaces the former one.
    Members,
    /// The given object replaces the former one, but for maps of attributes, which merge.
    Whole,
}

/// Allowed keys of a map.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// Identifiers.
    Identifiers,
    /// Names of secrets.
    Secrets,
    /// All keys that are neither empty nor too long.
    Free,
}

/// Operations in which `null` is allowed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Null {
    /// None.
    Never,
    /// An update, in which it removes the value.
    InUpdate,
    /// Creation and update.
    Always,
}

/// Operations in which a member is required, or known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// None.
    Never,
    /// Creation of an integration.
    InCreate,
    /// Update of an integration.
    InUpdate,
    /// Both.
    Always,
}

/// Default of an absent member.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    /// Nothing.
    Absent,
    /// An object, with its own members filled.
    Object,
    /// A list.
    List,
    /// `false`.
    False,
}

/// A member of an object.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) shape: &'static Shape,
    /// Operations in which it is known.
    pub(super) known: When,
    /// Operations in which it is required.
    pub(super) needed: When,
    pub(super) null: Null,
    pub(super) fill: Fill,
}

impl Field {
    const fn known(mut self, when: When) -> Self {
        self.known = when;
        self
    }

    const fn needed(mut self, when: When) -> Self {
        self.needed = when;
        self
    }

    const fn nullable(mut self) -> Self {
        self.null = Null::InUpdate;
        self
    }

    const fn filled(mut self, fill: Fill) -> Self {
        self.fill = fill;
        self
    }
}

const fn field(name: &'static str, shape: &'static Shape) -> Field {
    Field { name, shape, known: When::Always, needed: When::Never, null: Null::Never, fill: Fill::Absent }
}

/// Returns a map with entries that can be removed in an update.
const fn map(of: &'static Shape, keys: Keys, most: usize) -> Shape {
    Shape::Map { of, keys, most, null: Null::InUpdate }
}

const fn members(fields: &'static [Field]) -> Shape {
    Shape::Object { fields, merge: Merge::Members }
}

const fn whole(fields: &'static [Field]) -> Shape {
    Shape::Object { fields, merge: Merge::Whole }
}

const fn text(most: usize) -> Shape {
    Shape::Text { least: 0, most }
}

static SCHEMA: Shape = Shape::Schema;
static FLAG: Shape = Shape::Flag;
static TITLE: Shape = text(64);
static DESCRIPTION: Shape = text(256);
static SCRIPT: Shape = text(2_000);
static WORD: Shape = text(200);

/// Free texts by free names.
pub(super) static ATTRIBUTES: Shape = map(&WORD, Keys::Free, MAX_ENTRIES);

static WITH_SCHEMA: Shape = whole(&[field("schema", &SCHEMA).needed(When::Always)]);

static TAG: Shape = whole(&[field("title", &TITLE), field("description", &DESCRIPTION)]);
static TAGS: Shape = map(&TAG, Keys::Free, MAX_TAGS);
static TAG_NAMES: Shape = Shape::List { of: &WORD, most: MAX_TAGS };
static CREATION: Shape = whole(&[
    field("enabled", &FLAG).needed(When::Always).filled(Fill::False),
    field("requiredTags", &TAG_NAMES).needed(When::Always).filled(Fill::List),
]);
static TAGGED: Shape =
    members(&[field("tags", &TAGS).filled(Fill::Object), field("creation", &CREATION).filled(Fill::Object)]);
static TAGGED_MESSAGE: Shape = members(&[field("tags", &TAGS).filled(Fill::Object)]);

static CONFIGURATION: Shape = members(&[
    field("title", &TITLE),
    field("description", &DESCRIPTION),
    field("schema", &SCHEMA).filled(Fill::Object),
    field("identifier", &CONFIGURATION_IDENTIFIER).filled(Fill::Object),
]);
static CONFIGURATION_IDENTIFIER: Shape =
    members(&[field("required", &FLAG).filled(Fill::False), field("linkTemplateScript", &SCRIPT).nullable()]);
static CONFIGURATIONS: Shape = map(&CONFIGURATION, Keys::Free, MAX_ENTRIES);

static STATE_TYPE: Shape = Shape::Choice(&["conversation", "user", "integration"]);
static STATE: Shape =
    whole(&[field("type", &STATE_TYPE).needed(When::Always), field("schema", &SCHEMA).needed(When::Always)]);
static STATES: Shape = map(&STATE, Keys::Identifiers, MAX_STATES);

static EVENT: Shape = whole(&[
    field("title", &TITLE),
    field("description", &DESCRIPTION),
    field("schema", &SCHEMA).needed(When::Always),
    field("attributes", &ATTRIBUTES),
]);
static EVENTS: Shape = map(&EVENT, Keys::Identifiers, MAX_EVENTS);

static ACTION: Shape = whole(&[
    field("title", &TITLE),
    field("description", &DESCRIPTION),
    field("billable", &FLAG),
    field("cacheable", &FLAG),
    field("input", &WITH_SCHEMA).needed(When::Always),
    field("output", &WITH_SCHEMA).needed(When::Always),
    field("attributes", &ATTRIBUTES),
]);
static ACTIONS: Shape = map(&ACTION, Keys::Identifiers, MAX_ENTRIES);

static ENTITY: Shape =
    whole(&[field("title", &TITLE), field("description", &DESCRIPTION), field("schema", &SCHEMA).needed(When::Always)]);
static ENTITIES: Shape = map(&ENTITY, Keys::Free, MAX_ENTRIES);

static CHANNEL: Shape = members(&[
    field("title", &TITLE),
    field("description", &DESCRIPTION),
    field("messages", &MESSAGES).needed(When::InCreate).filled(Fill::Object),
    field("conversation", &TAGGED).filled(Fill::Object),
    field("message", &TAGGED_MESSAGE).filled(Fill::Object),
]);
static MESSAGES: Shape = map(&WITH_SCHEMA, Keys::Identifiers, MAX_MESSAGES);
static CHANNELS: Shape = map(&CHANNEL, Keys::Identifiers, MAX_CHANNELS);

static RENAMED: Shape = Shape::Map {
    of: &whole(&[field("name", &WORD).needed(When::Always)]),
    keys: Keys::Free,
    most: MAX_ENTRIES,
    null: Null::Never,
};
static INTERFACE: Shape = whole(&[
    field("id", &Shape::Id).needed(When::Always),
    field("entities", &RENAMED).filled(Fill::Object),
    field("actions", &RENAMED).filled(Fill::Object),
    field("events", &RENAMED).filled(Fill::Object),
    field("channels", &RENAMED).filled(Fill::Object),
]);
static INTERFACES: Shape = map(&INTERFACE, Keys::Free, MAX_ENTRIES);

static IDENTIFIER: Shape =
    members(&[field("extractScript", &SCRIPT).nullable(), field("fallbackHandlerScript", &SCRIPT).nullable()]);

static EXTRA_OPERATIONS: Shape = Shape::Map {
    of: &whole(&[field("enabled", &FLAG).needed(When::Always)]),
    keys: Keys::Free,
    most: MAX_ENTRIES,
    null: Null::Never,
};
static SECRETS: Shape = Shape::Map { of: &Shape::Secret, keys: Keys::Secrets, most: MAX_SECRETS, null: Null::Always };
static LAYERS: Shape = Shape::List { of: &WORD, most: MAX_LAYERS };
static VISIBILITY: Shape = Shape::Choice(&["public", "private", "unlisted"]);

/// Members beside a definition, or with a meaning of their own: the table does not merge them.
pub(super) const ASIDE: [&str; 9] =
    ["name", "version", "dev", "code", "icon", "readme", "secrets", "public", "visibility"];

/// The body of a creation and of an update.
pub(super) static BODY: Shape = members(&[
    field("name", &Shape::Name).known(When::InCreate).needed(When::InCreate),
    field("version", &Shape::Version).known(When::InCreate).needed(When::InCreate),
    field("title", &Shape::Text { least: 1, most: 64 }),
    field("description", &DESCRIPTION),
    field("configuration", &CONFIGURATION).filled(Fill::Object),
    field("configurations", &CONFIGURATIONS).filled(Fill::Object),
    field("states", &STATES).filled(Fill::Object),
    field("events", &EVENTS).filled(Fill::Object),
    field("actions", &ACTIONS).filled(Fill::Object),
    field("entities", &ENTITIES).filled(Fill::Object),
    field("channels", &CHANNELS).filled(Fill::Object),
    field("user", &TAGGED).filled(Fill::Object),
    field("interfaces", &INTERFACES).filled(Fill::Object),
    field("identifier", &IDENTIFIER).filled(Fill::Object),
    field("attributes", &ATTRIBUTES).filled(Fill::Object),
    field("extraOperations", &EXTRA_OPERATIONS).filled(Fill::Object),
    field("secrets", &SECRETS),
    field("sdkVersion", &WORD),
    field("code", &Shape::Code),
    field("url", &Shape::Url).nullable(),
    field("dev", &FLAG).known(When::InCreate),
    field("icon", &Shape::Icon),
    field("readme", &Shape::Readme),
    field("public", &FLAG),
    field("visibility", &VISIBILITY),
    field("layers", &LAYERS).filled(Fill::List),
    field("maxExecutionTime", &Shape::Seconds).known(When::InUpdate),
]);
