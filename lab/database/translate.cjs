// Between the two protocols of Prisma's query engine: GraphQL, which prisma-client-py speaks, and JSON, the only one
// that the engine's WebAssembly knows. Pure functions; tests/unit/test_database_engine.py holds them.

"use strict";

// The longer one first where one begins like another.
const ACTIONS = [
  "findUniqueOrThrow", "findUnique", "findFirstOrThrow", "findFirst", "findMany",
  "createManyAndReturn", "createMany", "createOne", "updateMany", "updateOne", "upsertOne",
  "deleteMany", "deleteOne", "aggregate", "groupBy", "queryRaw", "executeRaw",
];

// Of a filter of JSON: what is a path or a text, and no JSON itself.
const NO_JSON = new Set(["path", "mode", "string_contains", "string_starts_with", "string_ends_with"]);
const MODEL = /^model\s+(\w+)\s*\{([^}]*)\}/gm;
const FIELD = /^\s*(\w+)\s+(\w+)/gm;

/** The fields of every model of a schema, with their types' names. */
function modelsOf(schema) {
  const bare = schema.replace(/\/\/.*$/gm, "").replace(/"(\\.|[^"\\])*"/g, '""');
  const found = [...bare.matchAll(MODEL)].map(([, name, body]) => [
    name,
    Object.fromEntries([...body.matchAll(FIELD)].map(([, field, type]) => [field, type])),
  ]);
  return Object.fromEntries(found);
}

/** A GraphQL request, or a batch of them, as `{body, names}`: what the engine is asked, and under which name
 *  each answer is expected. models: of the schema, for only their types tell a text from JSON. Throws an Error
 *  for what is no request. */
function requestOf(graphql, models, request) {
  if (!request.batch) {
    const { query, name } = queryOf(graphql, models, request.query);
    return { body: query, names: [name] };
  }
  const each = request.batch.map((one) => queryOf(graphql, models, one.query));
  const body = { batch: each.map((one) => one.query) };
  if (request.transaction) body.transaction = {};
  return { body, names: each.map((one) => one.name) };
}

/** The engine's answer under the names that were asked for. */
function answerOf(answer, names) {
  if (answer.batchResult) {
    return { ...answer, batchResult: answer.batchResult.map((one, place) => renamed(one, names[place])) };
  }
  return renamed(answer, names[0]);
}

function queryOf(graphql, models, text) {
  const document = graphql.parse(text, { noLocation: true });
  const fields = document.definitions.flatMap((one) => one.selectionSet.selections);
  if (fields.length !== 1) throw new Error(`one field is asked at a time, not ${fields.length}`);
  const [field] = fields;
  const called = field.name.value;
  const action = ACTIONS.find((one) => called.startsWith(one));
  if (!action) throw new Error(`the action of ${called} is not known`);
  const model = called.slice(action.length);
  const query = { action, query: partOf(field, { models, model, json: false }) };
  if (model) query.modelName = model;
  return { query, name: (field.alias || field.name).value };
}

/** within: the models, the one that the field is of, and whether its values are JSON. */
function partOf(field, within) {
  const selection = {};
  for (const one of field.selectionSet ? field.selectionSet.selections : []) {
    const leaf = !one.selectionSet && !one.arguments.length;
    selection[one.name.value] = leaf ? true : partOf(one, inside(one.name.value, within));
  }
  const named = field.arguments.map((one) => [one.name.value, valueOf(one.value, within)]);
  return { arguments: Object.fromEntries(named), selection };
}

/** What a name leads to: a relation to its model, a field to its type, all else (`where`, `data`, `AND` …) on. */
function inside(name, within) {
  if (within.json) return { ...within, json: !NO_JSON.has(name) };
  const type = (within.models[within.model] || {})[name];
  if (type === "Json") return { ...within, json: true };
  return type in within.models ? { ...within, model: type } : within;
}

function valueOf(node, within) {
  switch (node.kind) {
    case "IntValue":
      return Number.isSafeInteger(Number(node.value)) ? Number(node.value) : { $type: "BigInt", value: node.value };
    case "FloatValue":
      return Number(node.value);
    case "StringValue":
      return within.json ? { $type: "Json", value: node.value } : node.value;
    case "EnumValue":
      return within.json ? { $type: "Enum", value: node.value } : node.value; // JsonNull, DbNull
    case "BooleanValue":
      return node.value;
    case "NullValue":
      return null;
    case "ListValue":
      return node.values.map((one) => valueOf(one, within));
    case "ObjectValue":
      return Object.fromEntries(
        node.fields.map((one) => [one.name.value, valueOf(one.value, inside(one.name.value, within))]),
      );
    default:
      throw new Error(`a value of kind ${node.kind} is not known`);
  }
}

function renamed(answer, name) {
  if (!answer.data) return answer;
  const [value] = Object.values(answer.data);
  return { data: { [name]: plain(value) } };
}

/** Values without the marks of the JSON protocol, as GraphQL has them. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.$type === "string") {
    const whole = Number(value.value);
    return value.$type === "BigInt" && Number.isSafeInteger(whole) ? whole : value.value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
}

module.exports = { modelsOf, requestOf, answerOf };
