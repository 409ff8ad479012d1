#!/usr/bin/env node
// Prisma's own query engine for PostgreSQL, behind the protocol that prisma-client-py asks of a query-engine program.
//
// npm has that engine as WebAssembly only; the client of Python wants a program: `--version`, and with `-p PORT` a
// server of `GET /status`, `POST /` (GraphQL), and `POST /transaction/...`. docs/database.md tells why and how.
//
// Variables: PRISMA_DML_PATH (the schema), DATABASE_URL or OVERWRITE_DATASOURCES, ENGINE_MODULES (a folder that holds
// node_modules), as the client and the lab set them.

"use strict";

const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { createRequire } = require("node:module");
const { modelsOf, requestOf, answerOf } = require("./translate.cjs");

const here = createRequire(path.join(process.env.ENGINE_MODULES || __dirname, "package.json"));
const RUNTIME = "@prisma/client/runtime/query_engine_bg.postgresql";
const LARGEST_BODY = 64 * 1024 * 1024;
// PostgreSQL's types of catalogues by number, and the types of texts that the engine reads them as; the adapter
// does not know them.
const AS_TEXT = { 18: 25, 19: 25, 1002: 1009, 1003: 1009 };
const TEXTS = 1009;

/** The engine's own code, from the files that npm installed. */
function engineModule() {
  const code = here(`${RUNTIME}.js`);
  const binary = fs.readFileSync(here.resolve(`${RUNTIME}.wasm`));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(binary), { "./query_engine_bg.js": code });
  code.__wbg_set_wasm(instance.exports);
  return code;
}

/** Where the database is: what the client overrides wins over the variable. */
function databaseUrl() {
  const overrides = JSON.parse(process.env.OVERWRITE_DATASOURCES || "[]");
  return new URL(overrides.length ? overrides[0].url : process.env.DATABASE_URL);
}

/** A pool of connections as the URL of Prisma describes it. */
function poolOf(url) {
  const { Pool } = here("pg");
  const options = url.searchParams.get("options");
  return new Pool({
    host: decodeURIComponent(url.searchParams.get("host") || url.hostname),
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: url.pathname.slice(1),
    max: Number(url.searchParams.get("connection_limit") || 10),
    ...(options ? { options } : {}),
  });
}

/** The same client, or pool, whose answers have the catalogues' types of text as text. */
function reading(client) {
  const ask = client.query.bind(client);
  const split = here("pg").types.getTypeParser(TEXTS);
  const query = async (...asked) => {
    const answer = await ask(...asked);
    for (const [place, field] of (answer.fields || []).entries()) {
      const known = AS_TEXT[field.dataTypeID];
      if (!known) continue;
      field.dataTypeID = known;
      if (known !== TEXTS) continue;
      for (const row of answer.rows) row[place] = row[place] === null ? null : split(row[place]);
    }
    return answer;
  };
  return new Proxy(client, {
    get(of, name) {
      if (name === "query") return query;
      if (name === "connect") return async () => reading(await of.connect());
      const value = of[name];
      return typeof value === "function" ? value.bind(of) : value;
    },
  });
}

async function connected(code, schema) {
  const { PrismaPg } = here("@prisma/adapter-pg");
  const { bindAdapter } = here("@prisma/driver-adapter-utils");
  const pool = poolOf(databaseUrl());
  pool.on("error", (error) => console.error(`query engine: ${error.message}`)); // an idle connection that was lost
  const settings = {
    datamodel: schema,
    datasourceOverrides: {},
    env: {},
    configDir: ".",
    logLevel: "error",
    logQueries: false,
    ignoreEnvVarErrors: true,
    engineProtocol: "json",
  };
  const engine = new code.QueryEngine(settings, () => {}, bindAdapter(new PrismaPg(reading(pool))));
  await engine.connect("{}");
  return engine;
}

/** The text that answers one request; throws what is not understood. */
async function answer(engine, models, method, target, headers, body) {
  const [, first, id, last] = target.split("?")[0].split("/");
  if (method === "GET" && first === "status") return '{"status":"ok"}';
  if (method === "GET" && first === "metrics") return '{"counters":[],"gauges":[],"histograms":[]}';
  if (method === "POST" && first === "transaction") {
    if (id === "start") return engine.startTransaction(body, "{}");
    if (last === "commit") return engine.commitTransaction(id, "{}");
    if (last === "rollback") return engine.rollbackTransaction(id, "{}");
  }
  if (method === "POST" && first === "") {
    const asked = requestOf(here("graphql"), models, JSON.parse(body));
    const text = await engine.query(JSON.stringify(asked.body), "{}", headers["x-transaction-id"]);
    return JSON.stringify(answerOf(JSON.parse(text), asked.names));
  }
  return null;
}

async function serve(port) {
  const schema = fs.readFileSync(process.env.PRISMA_DML_PATH, "utf8");
  const models = modelsOf(schema);
  const engine = await connected(engineModule(), schema);
  const server = http.createServer((request, response) => {
    const parts = [];
    let size = 0;
    request.on("data", (part) => {
      size += part.length;
      if (size > LARGEST_BODY) request.destroy();
      else parts.push(part);
    });
    request.on("end", async () => {
      const body = Buffer.concat(parts).toString("utf8");
      let text, status;
      try {
        text = await answer(engine, models, request.method, request.url, request.headers, body);
        status = text === null ? 404 : 200;
      } catch (error) {
        const user = { is_panic: false, message: error.message, meta: {}, error_code: "P2009" };
        text = JSON.stringify({ errors: [{ error: error.message, user_facing_error: user }] });
        status = 200;
      }
      response.writeHead(status, { "content-type": "application/json" });
      response.end(text || "{}");
    });
  });
  server.keepAliveTimeout = 0;
  server.listen(port, "127.0.0.1");
}

function main(args) {
  if (args.includes("--version")) {
    console.log(`query-engine ${engineModule().getBuildTimeInfo().commit}`);
    return;
  }
  // it dies with who started it, however that happens
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || process.exit(0), 500);
  for (const sent of ["SIGINT", "SIGTERM"]) process.on(sent, () => process.exit(0));
  serve(Number(args[args.indexOf("-p") + 1])).catch((error) => {
    console.error(`query engine: ${error.message || error}`);
    process.exit(1);
  });
}

main(process.argv.slice(2));
