// The HTTP API as this page uses it.

import { inPageLanguage, t } from "./i18n.js";
import { token } from "./person.js";

/** An answer that is not a success. `violations` are those of the problem document. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(inPageLanguage(problem, "detail") || inPageLanguage(problem, "title") || t("error.status", { status }));
    this.status = status;
    this.violations = problem.violations ?? [];
  }
}

/** Nobody is signed in, or the token is not accepted any more. */
export class Unauthorised extends ApiError {}

/** {models, tasks}, asked with the token that is given, or with the one of this page. */
export const getModels = (as) => json("GET", "models", { as });

export const listJobs = (query) => json("GET", `jobs?${new URLSearchParams(query)}`);

/** {events, deliveries}: a job's records, and the tries to tell its webhook. */
export const getEvents = (id) => json("GET", `jobs/${encodeURIComponent(id)}/events`);

export const redeliver = (id) => json("POST", `jobs/${encodeURIComponent(id)}/redeliver`);

export const cancelJob = (id) => json("POST", `jobs/${encodeURIComponent(id)}/cancel`);

/** A hidden job is left out of lists, and nothing else of it changes. */
export const hideJob = (id) => json("POST", `jobs/${encodeURIComponent(id)}/hide`);

export const unhideJob = (id) => json("POST", `jobs/${encodeURIComponent(id)}/unhide`);

/** Removes pictures and texts for good; needs a token of scope admin. */
export const eraseJob = (id) => json("POST", `jobs/${encodeURIComponent(id)}/erase`);

/** Whether the token is an admin's, whom the API shows how it is run. */
export async function isAdmin() {
  try {
    await json("GET", "runtime");
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return false;
    throw error;
  }
}

export const retryJob = (id) => json("POST", `jobs/${encodeURIComponent(id)}/retry`);

export const askUpload = (name, size, contentType) =>
  json("POST", "uploads", { body: { name, size, content_type: contentType } });

/** [{job_file, notes}]: jobs written for the model that succeeds theirs. Nothing is submitted. */
export const convertJob = async (model, job) => (await json("POST", `models/${encodeURIComponent(model)}/convert`, { body: job })).jobs;

/** The same key with the same job is the same job: a second press costs nothing. */
export const submitJob = (job, key) =>
  json("POST", "jobs", { body: job, headers: { "Idempotency-Key": key } });

/** The same for several jobs, as JSON Lines: {jobs}. */
export const submitJobs = (jobs, key) =>
  json("POST", "jobs", { lines: jobs, headers: { "Idempotency-Key": key } });

/**
 * @param {string} id
 * @param {{signal?: AbortSignal}} [how]
 */
export const getJob = (id, { signal } = {}) => json("GET", `jobs/${encodeURIComponent(id)}`, { signal });

/**
 * {jobs, missing}: the jobs that are not as `known` has them (by id an ETag, a state or null), as
 * soon as there is one, or after `wait` seconds; and those that there are not. With `newer`, a
 * {since, seen}, also `new`: the jobs made since then, other than those.
 * @param {Record<string, string|null>} known
 * @param {{wait: number, signal?: AbortSignal, newer?: {since: string, seen: string[]}}} how
 */
export const getChanges = (known, { wait, signal, newer }) =>
  json("POST", "changes", { body: { jobs: known, wait, newer }, signal });

async function json(method, path, options) {
  return parsed(await send(method, path, options ?? {}));
}

async function send(method, path, { body, lines, headers = {}, signal, as = token() }) {
  const all = { Accept: "application/json", Authorization: `Bearer ${as ?? ""}`, ...headers };
  if (body !== undefined) all["Content-Type"] = "application/json";
  if (lines) all["Content-Type"] = "application/jsonl";
  const text = lines ? lines.map((one) => JSON.stringify(one)).join("\n") : body === undefined ? undefined : JSON.stringify(body);
  /** @type {RequestInit} */
  const options = { method, headers: all, body: text, signal, cache: "no-store", referrerPolicy: "no-referrer" };
  try {
    return await fetch(new URL(path, document.baseURI), options);
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") throw error;
    throw new ApiError(0, { detail: t("error.offline") });
  }
}

async function parsed(response) {
  const text = await response.text();
  const document = readJson(text);
  if (response.ok && document !== undefined) return document;
  const problem = document && typeof document === "object" ? document : {};
  if (response.status === 401) throw new Unauthorised(401, problem);
  throw new ApiError(response.status, problem);
}

function readJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
