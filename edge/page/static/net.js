// Talking to the service: questions, commands, and the stream of news.

const listeners = new Set();
let source = null, sensor = "", state = "connecting", everConnected = false, made = "", retry = 0, hiddenSince = null, polling = 0, heardAt = Date.now();

// The service sends something every 15 s: a stream that is silent for longer is dead, even if the browser hasn't noticed yet.
const SILENT_MS = 40000, ANSWER_MS = 120000;

export class Refused extends Error {
  constructor(status, words) { super(words); this.status = status; }
}

// state: connecting, live, lost, polling
export const linkState = () => state;
// Call back with (kind, data): news of incidents and readings, "again" after a pause in which some were missed, "link",
// "busy" and "answered" when the service can't answer and when it has.
export const onNews = (listener) => { listeners.add(listener); return () => listeners.delete(listener); };
const tell = (kind, data) => { for (const each of [...listeners]) each(kind, data); };
const become = (next) => { if (state !== next) { state = next; tell("link", state); } };

// The service can't answer now, but may soon.
export const isBusy = (error) => error instanceof Refused && error.status === 503;

const answer = async (response) => {
  let content = {};
  try { content = await response.json(); } catch { /* not JSON: the status code says why */ }
  if (response.status === 401) tell("login");
  if (!response.ok) throw new Refused(response.status, content.error || content.message || `The service answered ${response.status}.`);
  return content;
};

const ask = async (path, options) => {
  let response;
  try {
    response = await fetch(`api/${path}`, { ...options, signal: AbortSignal.timeout(ANSWER_MS) });
  } catch { throw new Error("The service doesn't answer."); }
  return answer(response);
};

export const get = async (path, query = {}) => {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const text = new URLSearchParams(given).toString();
  try {
    const found = await ask(`${path}${text ? `?${text}` : ""}`, { headers: { accept: "application/json" } });
    if (path !== "session") tell("answered");
    return found;
  } catch (error) {
    if (isBusy(error) && path !== "series") tell("busy", error);  // views that load now and then would stay as they are without a word
    throw error;
  }
};

export const post = (path, content) => ask(path,
  { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(content) });

// The id makes a command act once, even if it is sent again because no answer arrived.
const identity = () => [...crypto.getRandomValues(new Uint8Array(12))].map((each) => each.toString(16).padStart(2, "0")).join("");
export const command = async (name, said) => {
  const body = { command: name, said: { id: identity(), ...said } };
  try {
    return await post("command", body);
  } catch (error) {
    if (error instanceof Refused && error.status !== 503) throw error;
    return post("command", body);
  }
};

// The service runs another version, whose scripts this page hasn't loaded yet; not while a form is being filled in.
const renew = () => {
  if (document.querySelector("dialog[open]")) setTimeout(renew, 1000);
  else location.reload();
};

const open = () => {
  clearTimeout(retry);
  source?.close();
  source = new EventSource(`api/stream${sensor ? `?sensor=${encodeURIComponent(sensor)}` : ""}`);
  const mine = source;
  heardAt = Date.now();
  for (const each of ["hello", "incidents", "readings", "alive"]) source.addEventListener(each, () => { heardAt = Date.now(); });
  source.addEventListener("hello", (event) => {
    const { page } = JSON.parse(event.data);
    if (made && page !== made) { renew(); return; }
    made = page;
    become("live");
    clearInterval(polling);
    polling = 0;
    if (everConnected) tell("again");
    everConnected = true;
  });
  source.addEventListener("incidents", (event) => tell("incidents", JSON.parse(event.data)));
  source.addEventListener("readings", (event) => tell("readings", JSON.parse(event.data)));
  source.addEventListener("behind", () => { become("behind"); open(); });
  source.onerror = async () => {
    if (source !== mine) return;
    become("lost");
    if (mine.readyState !== EventSource.CLOSED) return;  // it retries by itself
    try {
      const session = await get("session");
      if (session.role === null) { tell("login"); return; }
      become("polling");  // too many pages are open
      polling ||= setInterval(() => tell("again"), 5000);
      retry = setTimeout(open, 30000);
    } catch { retry = setTimeout(open, 2000); }
  };
};

// Listen, to one sensor's readings too if there is one.
export const listenTo = (name = "") => {
  if (source && sensor === name && source.readyState !== EventSource.CLOSED) return;
  if (source) everConnected = false;  // a change of ours, after which the view asks for everything anyway
  sensor = name;
  open();
};
export const stopListening = () => { clearTimeout(retry); clearInterval(polling); polling = 0; source?.close(); source = null; };

// Also after the computer was asleep, when the clock has advanced and nothing was received.
setInterval(() => {
  if (!source || document.hidden || state === "polling" || Date.now() - heardAt < SILENT_MS) return;
  become("lost");
  open();
}, 5000);

document.addEventListener("visibilitychange", () => {
  if (document.hidden) { hiddenSince = Date.now(); return; }
  const slept = hiddenSince !== null && Date.now() - hiddenSince > 60000;
  hiddenSince = null;
  if (source && (slept || source.readyState === EventSource.CLOSED)) open();
});
window.addEventListener("online", () => { if (source && state !== "live") open(); });
