//! What the fields of the schema can answer with: which are lists and how long they can be, and which take more to answer
//! than a value does.

use crate::{graph, store::DEFAULT_PAGE};
use apollo_compiler::{
    Schema,
    ast::{FieldDefinition, OperationType},
    schema::ExtendedType,
};
use std::collections::{HashMap, HashSet};

/// What a column costs that is read only when selected: such a text can be as long as so many ordinary values.
const LARGE: u64 = 2_000;

/// What such a column costs that somebody writes into a form: a page shows it of every row.
const DESCRIPTION: u64 = 200;

/// What a field costs that counts and sums over many rows, or searches them.
const SUMMED: u64 = 1_000;

/// Fields that read large columns, apart from those that are one.
const READS_LARGE: [(&str, &str); 9] = [
    ("PRDSymbolLink", "symbol"),
    ("PRD", "markdown"),
    ("ProjectGraph", "godNodes"),
    ("ProjectGraph", "findSymbols"),
    ("ProjectGraph", "symbol"),
    ("ProjectGraph", "callers"),
    ("ProjectGraph", "callees"),
    ("ProjectGraph", "community"),
    ("ProjectGraph", "path"),
];

/// Fields that sum or search.
const SUMS: [(&str, &str); 2] = [("Query", "search"), ("Query", "usageSummary")];

/// The most entries of each list without `first`: where the schema or what writes the list sets a limit, that; otherwise
/// more than has a use.
const LISTS: [(&str, &str, u64); 60] = [
    ("AgentHeartbeatPayload", "lostJobIds", 32),
    ("AgentPresenceFrame", "sessions", 200),
    ("AgentRole", "allowedTools", 32),
    ("AgentRole", "childRoles", 200),
    ("AgentRoleSnapshot", "allowedTools", 32),
    ("AgentSession", "capabilities", 50),
    ("AgentSession", "repos", 50),
    ("AgentSession", "roles", 50),
    ("AgentToken", "projectIds", 100),
    ("AgentToken", "roleSlugs", 50),
    ("ApprovalQueueEntry", "allowedSteps", 10),
    ("AutoApproval", "projectIds", 100),
    ("Analytics", "meetingsByStatus", 10),
    ("Analytics", "meetingsByWeekday", 7),
    ("Analytics", "sentiments", 10),
    ("ClarificationRequest", "options", 10),
    ("ExecutionPlan", "steps", 6),
    ("GoogleOAuthToken", "scopes", 20),
    ("IntegrationService", "fields", 50),
    ("Meeting", "participants", 100),
    ("MeetingInsights", "actionItems", 100),
    ("MeetingInsights", "decisions", 100),
    ("MeetingInsights", "participantStats", 100),
    ("MeetingInsights", "topics", 100),
    ("PRD", "acceptanceCriteria", 100),
    ("PRD", "architectureOptions", 20),
    ("PRD", "assumptions", 100),
    ("PRD", "objectives", 100),
    ("PRD", "openQuestions", 2),
    ("PRD", "outOfScope", 100),
    ("PRD", "requirements", 200),
    ("PRD", "risks", 100),
    ("PlanStep", "dependsOn", 6),
    ("PlanStep", "skills", 50),
    ("Project", "briefTemplate", 50),
    ("ProjectGraph", "godNodeSlugs", 10),
    ("ProjectGraph", "languages", 50),
    ("ProjectGraph", "path", 200),
    ("Query", "backgroundTasks", 20),
    ("Query", "budgets", 200),
    ("Query", "integrationServices", 20),
    ("Query", "scheduledJobTypes", 50),
    ("Requirement", "acceptanceCriteria", 50),
    ("SearchHit", "snippetParts", 50),
    ("Skill", "configSchema", 50),
    ("Skill", "platforms", 3),
    ("Skill", "supportingFiles", 20),
    ("SkillPackage", "requiredTools", 50),
    ("SubagentDefinition", "allowedTools", 50),
    ("SubagentInstructions", "allowedTools", 50),
    ("TenantSetup", "skipped", 4),
    ("Ticket", "skills", 50),
    ("Transcript", "speakers", 100),
    ("UsageRow", "keys", 10),
    ("WhisperTranscription", "providerChain", 10),
    ("WorkInstructions", "allowedTools", 32),
    ("WorkInstructions", "skills", 50),
    // Of the schema's own types: a directive has few places and arguments.
    ("__Directive", "args", 2),
    ("__Directive", "locations", 19),
    ("__Schema", "directives", 10),
];

/// How many rows a list with `first` has when it is not given, if not the usual page.
const USUAL: [(&str, &str, u64); 7] = [
    ("Analytics", "topTopics", 10),
    ("ProjectGraph", "godNodes", 10),
    ("Query", "effectiveAgentRoles", 500),
    ("Query", "effectiveSkillPackages", 500),
    ("Query", "effectiveSubagents", 500),
    ("Query", "search", 20),
    ("Query", "usageSummary", 100),
];

/// The fields of each type.
pub(crate) struct Shapes(HashMap<String, HashMap<String, Shape>>);

/// A field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// How many it holds.
    pub(super) times: Times,
    /// How many rows a page has that it holds.
    pub(super) page: Times,
    /// Whether it is the rows of a page: then there are `times` for each.
    pub(super) rows: bool,
    /// What it costs each time, besides its values.
    pub(super) extra: u64,
}

/// How many.
#[derive(Clone, Copy, Debug)]
pub(super) enum Times {
    /// So many.
    Fixed(u64),
    /// What `first` or `last` says, or so many if neither does.
    Asked(u64),
    /// One for each value of `ids`.
    Ids,
}

impl Shapes {
    /// Reads them off the schema.
    pub(super) fn new(schema: &Schema) -> Self {
        let pages = pages(schema);
        let kinds = schema.types.iter().map(|(kind, definition)| {
            let fields: HashMap<_, _> = fields(definition)
                .map(|field| {
                    let shape = shape(schema, &pages, kind, field);
                    (field.name.to_string(), shape)
                })
                .collect();
            (kind.to_string(), fields)
        });
        let mut shapes = Self(kinds.collect());
        // No type declares the questions about the schema: every query has them.
        if let Some(query) = schema.root_operation(OperationType::Query) {
            for name in ["__schema", "__type"] {
                if let Ok(field) = schema.type_field(query, name) {
                    let shape = shape(schema, &pages, query, field);
                    let of_query = shapes.0.entry(query.to_string()).or_default();
                    of_query.insert(name.to_owned(), shape);
                }
            }
        }
        let large = graph::row_types()
            .flat_map(|row_type| row_type.large().map(|name| (row_type.name(), name)));
        for (kind, name) in large.chain(READS_LARGE) {
            let price = match name {
                "description" => DESCRIPTION,
                _ => LARGE,
            };
            shapes.cost_more(kind, name, price);
        }
        for (kind, name) in SUMS {
            shapes.cost_more(kind, name, SUMMED);
        }
        shapes
    }

    /// A type's field, if there is one of this name.
    pub(super) fn field(&self, kind: &str, field: &str) -> Option<&Shape> {
        self.0.get(kind)?.get(field)
    }

    fn cost_more(&mut self, kind: &str, field: &str, extra: u64) {
        let fields = self.0.get_mut(kind);
        if let Some(shape) = fields.and_then(|fields| fields.get_mut(field)) {
            shape.extra = extra;
        }
    }
}

/// How long a list without `first` can be, if that is known. One of an enum's values has each of them once at most.
pub(super) fn most(schema: &Schema, kind: &str, field: &FieldDefinition) -> Option<u64> {
    let mut known = LISTS.iter();
    let known = known.find(|(of, name, _)| (*of, *name) == (kind, field.name.as_str()));
    let values = || schema.get_enum(field.ty.inner_named_type());
    let values = || values().map(|values| values.values.len() as u64);
    known.map(|(_, _, most)| *most).or_else(values)
}

/// The types that are pages: connections, and what a field with `first` answers with that is itself no list. Their lists
/// are as long as was asked.
fn pages(schema: &Schema) -> HashSet<String> {
    let fields = schema.types.values().flat_map(fields);
    let paged = fields.filter(|field| is_paged(field) && !field.ty.is_list());
    paged
        .map(|field| field.ty.inner_named_type().to_string())
        .collect()
}

fn shape(schema: &Schema, pages: &HashSet<String>, kind: &str, field: &FieldDefinition) -> Shape {
    let name = field.name.as_str();
    let of = field.ty.inner_named_type().as_str();
    let usual = USUAL
        .iter()
        .find(|(on, name, _)| (*on, *name) == (kind, &field.name));
    let asked = Times::Asked(usual.map_or(DEFAULT_PAGE, |(_, _, usual)| *usual));
    let one = Times::Fixed(1);
    let mut shape = Shape {
        times: one,
        page: one,
        rows: false,
        // What is said of the schema is long: names and descriptions.
        extra: u64::from(kind.starts_with("__")),
    };
    if (kind.starts_with("__") || name.starts_with("__")) && own(schema, &mut shape, kind, field) {
        return shape;
    }
    match (field.ty.is_list(), is_paged(field)) {
        (true, true) => shape.times = asked,
        (true, false) if pages.contains(kind) => shape.rows = true,
        (true, false) if field.argument_by_name("ids").is_some() => shape.times = Times::Ids,
        (true, false) => {
            shape.times = Times::Fixed(most(schema, kind, field).unwrap_or(DEFAULT_PAGE));
        }
        (false, true) => shape.page = asked,
        (false, false) if pages.contains(of) => shape.page = Times::Fixed(DEFAULT_PAGE),
        (false, false) => {}
    }
    shape
}

/// The schema's own types. All types together have so many fields as they have, so below `types` a type counts with its
/// share; a type that is reached in another way may be the one with most. A share is a row of the page that a type is, and
/// there are as many rows as make up the most of each kind.
fn own(schema: &Schema, shape: &mut Shape, kind: &str, field: &FieldDefinition) -> bool {
    let types = schema.types.len();
    let all = |kind: Row| schema.types.values().map(move |of| kind.count(schema, of));
    let share = |kind: Row| all(kind).sum::<usize>().div_ceil(types).max(1);
    let most = |kind: Row| all(kind).max().unwrap_or(1);
    let page = most(Row::Fields).div_ceil(share(Row::Fields));
    if field.ty.inner_named_type() == "__Type" {
        shape.page = Times::Fixed(page as u64);
    }
    let kind = match (kind, field.name.as_str()) {
        ("__Schema", "types") => {
            (shape.times, shape.page) = (Times::Fixed(types as u64), Times::Fixed(1));
            return true;
        }
        ("__Type", "fields") => Row::Fields,
        ("__Type", "inputFields") => Row::Inputs,
        ("__Type", "enumValues") => Row::Values,
        ("__Type", "interfaces") => Row::Interfaces,
        ("__Type", "possibleTypes") => Row::Possible,
        ("__Field", "args") => {
            let in_all = all(Row::Arguments).sum::<usize>();
            let fields = all(Row::Fields).sum::<usize>().max(1);
            let in_one = most(Row::Arguments).div_ceil(most(Row::Fields).max(1));
            shape.times = Times::Fixed(in_all.div_ceil(fields).max(in_one) as u64);
            return true;
        }
        _ => return false,
    };
    let rows = share(kind).max(most(kind).div_ceil(page));
    (shape.times, shape.rows) = (Times::Fixed(rows as u64), true);
    true
}

/// What a type has several of.
#[derive(Clone, Copy)]
enum Row {
    Fields,
    Arguments,
    Inputs,
    Values,
    Interfaces,
    Possible,
}

impl Row {
    fn count(self, schema: &Schema, of: &ExtendedType) -> usize {
        match (self, of) {
            (Self::Fields, _) => fields(of).count(),
            (Self::Arguments, _) => fields(of).map(|field| field.arguments.len()).sum(),
            (Self::Inputs, ExtendedType::InputObject(input)) => input.fields.len(),
            (Self::Values, ExtendedType::Enum(values)) => values.values.len(),
            (Self::Interfaces, ExtendedType::Object(object)) => object.implements_interfaces.len(),
            (Self::Possible, ExtendedType::Interface(interface)) => {
                let objects = schema.types.values().filter_map(ExtendedType::as_object);
                objects
                    .filter(|object| object.implements_interfaces.contains(&interface.name))
                    .count()
            }
            (Self::Possible, ExtendedType::Union(union)) => union.members.len(),
            _ => 0,
        }
    }
}

/// The fields of an object or an interface.
pub(super) fn fields(definition: &ExtendedType) -> impl Iterator<Item = &FieldDefinition> {
    let fields = match definition {
        ExtendedType::Object(object) => Some(&object.fields),
        ExtendedType::Interface(interface) => Some(&interface.fields),
        _ => None,
    };
    let fields = fields.into_iter().flat_map(|fields| fields.values());
    fields.map(|field| &***field)
}

fn is_paged(field: &FieldDefinition) -> bool {
    field.argument_by_name("first").is_some()
}

/// The lists of the schema without `first` whose length nobody declared.
/// The most entries of the lists with this name.
#[cfg(test)]
pub(super) fn lengths(name: &str) -> Vec<u64> {
    let of_name = LISTS.iter().filter(|(_, list, _)| *list == name);
    of_name.map(|(_, _, most)| *most).collect()
}

#[cfg(test)]
pub(super) fn without_a_limit(schema: &Schema) -> Vec<String> {
    let pages = pages(schema);
    let mut found = Vec::new();
    for (kind, definition) in &schema.types {
        for field in fields(definition) {
            let is_list = field.ty.is_list();
            let (name, ids) = (field.name.as_str(), field.argument_by_name("ids").is_some());
            let known = is_paged(field) || ids || pages.contains(kind.as_str());
            let own = kind.starts_with("__") && {
                let mut shape = Shape {
                    times: Times::Ids,
                    page: Times::Ids,
                    rows: false,
                    extra: 0,
                };
                own(schema, &mut shape, kind, field)
            };
            if is_list && !known && !own && most(schema, kind, field).is_none() {
                found.push(format!("{kind}.{name}"));
            }
        }
    }
    found
}
