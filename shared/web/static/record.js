// The record of a walk where there may be no signal: what is noted is kept on this device first, then sent, once,
// however often sending has to be tried. Without this script the forms post as they stand.
import { CACHE, all, drop, keep, onlyOf, over, wipe } from "./record-kept.js";

const page = document.querySelector("[data-record]");
const form = page.querySelector("form[data-concern]");
const say = page.dataset;
const walk = say.walk || location.pathname.split("/")[2];
const list = page.querySelector("[data-items]");
const line = page.querySelector("template[data-item]");
const said = page.querySelector("[data-said]");
const OFFLINE = "/record/offline";
const POINT = /^\s*(-?\d{1,2}(?:\.\d+)?)\s*°?\s*[,; ]\s*(-?\d{1,3}(?:\.\d+)?)\s*°?\s*$/;
const LONGEST_SIDE = 1600;
const FIRST_WAIT = 2000;
const LONGEST_WAIT = 60000;
const PATIENCE = 20000;
const CHECK = 60000;
const AGAIN = new Set([408, 425, 429]);

const stored = [];
let wait = FIRST_WAIT;
let timer;
let token = form.elements.csrf_token.value;

// A photograph as it will be kept, so that it is small enough to be sent with little signal. The server makes it anew.
async function smaller(file) {
  if (!file?.size) return null;
  try {
    const picture = await createImageBitmap(file);
    const by = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
    const canvas = new OffscreenCanvas(Math.round(picture.width * by), Math.round(picture.height * by));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return await canvas.convertToBlob({ type: "image/jpeg", quality: 0.8 });
  } catch {
    return file;
  }
}

const value = (name) => form.elements[name]?.value.trim() || null;

function body() {
  const typed = value("place");
  const point = POINT.exec(typed ?? "");
  return {
    category: value("category"),
    place: point ? { latitude: Number(point[1]), longitude: Number(point[2]) } : null,
    postcode: point ? null : typed,
    place_name: value("place_name"),
    time_of_day: value("time_of_day"),
    severity: value("severity"),
    words: value("words"),
    suggests: value("suggests"),
    patrol_wanted: form.elements.patrol_wanted.checked,
    photo_looked_at: form.elements.photo_looked_at.checked,
  };
}

const item = (kind, rest) => ({
  id: crypto.randomUUID(), kind, walk, user: say.user, until: Number(say.until), order: Date.now(), state: "waiting", ...rest,
});

async function note(event) {
  event.preventDefault();
  if (!value("category")) {
    form.elements.category.focus();
    return tell(say.sayCategory);
  }
  const photo = await smaller(form.elements.photo.files[0]) ?? form.photo_kept ?? null;
  const noted = item("concern", { body: body(), photo, called: called() });
  try {
    await keep(noted);
    if (form.mending) await replaced(form.mending);
  } catch {
    // Nowhere to keep it here: the form goes as it would without this script.
    return HTMLFormElement.prototype.submit.call(form);
  }
  clear();
  tell(say.sayKept);
  await show();
  soon();
}

// What is noted anew in place of one that may have arrived, meanwhile or unanswered: that one is taken back.
async function replaced(before) {
  const known = (await all()).find((one) => one.id === before.id);
  if (known && (!known.tried || known.state === "refused")) await drop(known.id);
  else await keep(undone(before));
}

const undone = (one) => ({ ...one, kind: "undo", state: "waiting", photo: null, body: null });

async function stamp(event) {
  const kind = event.target.dataset.stamp;
  event.preventDefault();
  await keep(item(kind, { body: { at: new Date().toISOString() }, called: event.target.querySelector("button").textContent.trim() }));
  event.target.querySelector("button").disabled = true;
  await show();
  soon();
}

function called() {
  const { selectedIndex, options } = form.elements.category;
  return [options[selectedIndex].text, value("place_name")].filter(Boolean).join(", ");
}

// The map reads the field when it changes.
const moved = () => form.elements.place.dispatchEvent(new Event("change"));

function clear() {
  form.reset();
  moved();
  form.mending = form.photo_kept = null;
}

const tell = (sentence) => { said.textContent = sentence; };

async function call(path, method, type, content) {
  const headers = { Accept: "application/json", "Content-Type": type, "X-CSRF-Token": token };
  return fetch(path, { method, headers, body: content, signal: AbortSignal.timeout(PATIENCE) });
}

const PATHS = { concern: (one) => `concerns/${one.id}`, start: () => "started", end: () => "ended", undo: (one) => `concerns/${one.id}` };

// "stored", "refused", "away" (no signal, or nobody there: later) or "over" (nobody is signed in).
async function send(one) {
  const at = `/api/v1/walks/${one.walk}`;
  let answer;
  try {
    const content = { ...one.body };
    if (one.photo) {
      answer = await call(`${at}/photos`, "POST", one.photo.type || "application/octet-stream", one.photo);
      if (answer.ok) content.photo = (await answer.json()).photo;
    }
    if (!answer || answer.ok) {
      const method = one.kind === "undo" ? "DELETE" : "PUT";
      answer = await call(`${at}/${PATHS[one.kind](one)}`, method, "application/json", method === "PUT" ? JSON.stringify(content) : undefined);
    }
    // Read to the end: half an answer is none.
    var problem = answer.ok ? await answer.text() : await answer.json().catch(() => ({}));
  } catch {
    return "away";
  }
  if (answer.ok) {
    await drop(one.id);
    if (one.kind !== "undo") stored.push({ ...one, photo: null, state: "stored" });
    return "stored";
  }
  if (answer.status === 401) return "over";
  if (answer.status === 403 && problem.type?.endsWith("forged-form")) return await renew() ? send(one) : "away";
  if (answer.status >= 500 || AGAIN.has(answer.status)) return "away";
  const reasons = (problem.errors ?? []).map((error) => error.message);
  await keep({ ...one, state: "refused", reason: reasons.join(" ") || problem.title || say.sayRefused });
  return "refused";
}

// Forms' proofs end with the browser's; a page of today has one that fits.
async function renew() {
  const before = token;
  const answer = await fetch(OFFLINE, { cache: "reload" }).catch(() => null);
  if (!answer?.ok) return false;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  token = fresh.querySelector("[name=csrf_token]")?.value ?? token;
  return token !== before;
}

async function flush() {
  // A browser that says it is offline is; one that says it is online need not be.
  if (!navigator.onLine) return;
  await navigator.locks.request("record", async () => {
    for (const one of await all()) {
      if (one.state === "refused" || one.user !== say.user) continue;
      await keep({ ...one, tried: true });
      const verdict = await send(one);
      await show();
      if (verdict === "over") return ended();
      if (verdict === "away") return later();
      wait = FIRST_WAIT;
    }
  });
}

function soon() {
  clearTimeout(timer);
  return flush();
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(soon, wait);
  wait = Math.min(wait * 2, LONGEST_WAIT);
}

async function ended() {
  await over();
  location.assign("/signin?next=" + encodeURIComponent(`/record/${walk}`));
}

async function check() {
  if (document.visibilityState !== "visible") return;
  const answer = await fetch("/me", { method: "GET", headers: { Accept: "application/json" } }).catch(() => null);
  if (answer?.status === 401) await ended();
}

async function undo(one) {
  // What was tried may have arrived though no answer came back: then it is taken back there as well.
  if (one.tried && one.kind === "concern" && one.state !== "refused") await keep(undone(one));
  else await drop(one.id);
  tell(say.sayUndone);
  await show();
  soon();
}

function mend(one) {
  const { body: noted } = one;
  for (const [name, content] of Object.entries({ ...noted, place: noted.place ? `${noted.place.latitude}, ${noted.place.longitude}` : noted.postcode })) {
    const field = form.elements[name];
    if (!field) continue;
    if (field.type === "checkbox") field.checked = content;
    else field.value = content ?? "";
  }
  moved();
  form.mending = one;
  form.photo_kept = one.photo;
  form.elements.category.focus();
  form.scrollIntoView();
}

async function show() {
  const here = (await all()).filter((one) => one.walk === walk && one.user === say.user && one.kind !== "undo");
  const shown = [...stored.filter((one) => one.walk === walk), ...here];
  list.replaceChildren(...shown.map((one) => {
    const entry = line.content.cloneNode(true).firstElementChild;
    const part = (name) => entry.querySelector(`[data-${name}]`);
    entry.dataset.state = one.state;
    for (const tag of entry.querySelectorAll("[data-tag]")) tag.hidden = tag.dataset.tag !== one.state;
    part("what").textContent = one.called;
    part("reason").hidden = one.state !== "refused";
    part("reason").append(one.reason ?? "");
    for (const name of entry.querySelectorAll(".govuk-visually-hidden[data-of]")) name.textContent = `: ${one.called}`;
    part("change").hidden = one.state === "stored" || one.kind !== "concern";
    part("undo").hidden = one.state === "stored";
    part("change").addEventListener("click", () => mend(one));
    part("undo").addEventListener("click", () => undo(one));
    return entry;
  }));
  page.querySelector("[data-waiting]").hidden = shown.length === 0;
  for (const state of ["waiting", "stored", "refused"]) page.setAttribute(`data-${state}-now`, shown.filter((one) => one.state === state).length);
}

async function leave(event) {
  const leaving = event.target;
  event.preventDefault();
  const unsent = (await all()).length;
  if (unsent && !confirm(say.sayUnsent.replace("{number}", unsent))) return;
  await wipe();
  HTMLFormElement.prototype.submit.call(leaving);
}

function here() {
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      form.elements.place.value = `${coords.latitude.toFixed(5)}, ${coords.longitude.toFixed(5)}`;
      moved();
      tell(say.sayHere);
    },
    () => tell(say.sayNowhere),
    { enableHighAccuracy: true, timeout: 15000 },
  );
}

// The empty form, and all that it is made of, for when there is no signal.
async function prepare() {
  const parts = performance.getEntriesByType("resource").map(({ name }) => name);
  const wanted = new Set(parts.filter((name) => name.startsWith(location.origin) && /\/static\/|\/theme\.css\?/.test(name)));
  wanted.add(new URL(OFFLINE, location.href).href);
  const cache = await caches.open(CACHE);
  await cache.addAll([...wanted]);
  for (const kept of await cache.keys()) if (!wanted.has(kept.url)) await cache.delete(kept);
}

async function begin() {
  await onlyOf(say.user);
  form.addEventListener("submit", note);
  for (const one of page.querySelectorAll("form[data-stamp]")) one.addEventListener("submit", stamp);
  for (const one of document.querySelectorAll("form[action='/signout']")) one.addEventListener("submit", leave);
  const button = page.querySelector("[data-here]");
  if (button && navigator.geolocation) {
    button.hidden = false;
    button.addEventListener("click", here);
  }
  addEventListener("online", soon);
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") check().then(soon); });
  setInterval(check, CHECK);
  await show();
  soon();
  if (navigator.serviceWorker) {
    await navigator.serviceWorker.register("/record/worker.js", { scope: "/record/", type: "module" });
    await navigator.serviceWorker.ready;
    if (!("shell" in say)) await prepare();
  }
  page.dataset.ready = "";
}

if (page && "indexedDB" in window && navigator.locks) begin();
