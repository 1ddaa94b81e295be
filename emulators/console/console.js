// The console of the local cloud: a page over the control API. Text reaches the page as text only, never as markup.

const BASE = "/_emulators";
const EVERY_MS = 2000;

// -- small tools ------------------------------------------------------------------------------------------------------

/** An element: el("a.tile", { href: "#mail" }, "text", child, …). Handlers are given as onclick and the like. */
function el(what, props = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) node.className = classes.join(" ");
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (["value", "checked", "disabled", "selected"].includes(name)) node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(9).filter((one) => one !== null && one !== undefined && one !== false));
  return node;
}

async function api(path, method = "GET", body) {
  const answer = await fetch(BASE + path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const content = await answer.json().catch(() => ({ message: `${answer.status} ${answer.statusText}` }));
  if (!answer.ok) throw new Error(content.message || answer.statusText);
  return content;
}

function toast(text, bad = false) {
  const node = el(bad ? "div.toast.bad" : "div.toast", {}, text);
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), bad ? 7000 : 3000);
}

/** Do something a person asked for, say how it went, and show what changed. */
async function act(said, work) {
  try {
    const result = await work();
    toast(typeof said === "function" ? said(result) : said);
    refresh(true);
    return result;
  } catch (error) {
    toast(error.message, true);
    return undefined;
  }
}

const ago = (seconds) => {
  const past = Date.now() / 1000 - seconds;
  if (past < 5) return "now";
  if (past < 60) return `${Math.floor(past)} s ago`;
  if (past < 3600) return `${Math.floor(past / 60)} min ago`;
  return new Date(seconds * 1000).toLocaleString();
};
const clock = (text) => (text ? new Date(text).toLocaleTimeString() : "–");
const json = (value) => el("pre", { tabindex: 0 }, JSON.stringify(value, null, 2));
const head = (title, ...more) => el("div.head", {}, el("h2", {}, title), ...more);
const lead = (text) => el("p.lead", {}, text);
const empty = (text) => el("div.card.empty", {}, text);
const dot = (tone, text) => el(`span.dot.${tone}`, {}, text);
const field = (label, control, wide) => el(wide ? "label.wide" : "label", {}, label, control);
const input = (name, props = {}) => el("input", { name, ...props });
const pick = (name, options, chosen) =>
  el("select", { name }, options.map((one) => el("option", { value: one, selected: one === chosen }, one)));
const values = (form) => Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
const form = (submit, ...children) =>
  el("form.form", { onsubmit: (event) => { event.preventDefault(); submit(values(event.target), event.target); } }, ...children);

function table(columns, rows) {
  return el("div.scroll", {}, el("table", {},
    el("thead", {}, el("tr", {}, columns.map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((cell) =>
      cell instanceof HTMLTableCellElement ? cell : el(typeof cell === "number" ? "td.num" : "td", {}, cell ?? "–")))))));
}

// -- sections: each loads its data and draws it -----------------------------------------------------------------------

const kept = { mail: null, vendor: "CTM", account: null, search: "", called: null };

const sections = {
  overview: {
    title: "Overview",
    load: async () => {
      const quiet = (path) => api(path).catch(() => null);
      const [status, functions, mail, queues, dead, faults] = await Promise.all([
        api("/status"), api("/functions"), quiet("/mail"), quiet("/queues"), quiet("/dead"), api("/faults")]);
      return { status, functions, mail, queues, dead, faults };
    },
    draw: ({ status, functions, mail, queues, dead, faults }) => {
      const all = Object.values(queues?.queues ?? {});
      const waiting = all.reduce((sum, queue) => sum + queue.waiting + queue.running, 0);
      const tile = (count, text, href, tone) =>
        el("a.tile", { href }, el(tone ? `b.${tone}` : "b", {}, String(count)), el("span", {}, text));
      const broken = Object.keys(faults.faults).length;
      const lost = (dead?.work ?? []).length;
      return [
        head("Overview"),
        el("div.tiles", {},
          tile(functions.functions.length, "functions", "#functions"),
          tile(mail ? mail.mails.length : "–", "mails", "#mail"),
          tile(queues ? waiting : "–", "tasks on their way", "#queues"),
          tile(dead ? lost : "–", "dead", "#dead", lost ? "bad" : ""),
          tile(broken, "faults switched on", "#faults", broken ? "warn" : "")),
        el("div.card", {}, el("h3", {}, "Components"), table(["Name", "State", "Kind", "Port", "Process", "Version", "Note"],
          status.components.map((one) => [one.name, one.ready ? dot("good", "ready") : dot("bad", "not ready"),
            el("span.tag", {}, one.kind), one.port ?? "–", one.pid ?? "–", one.version, one.note]))),
      ];
    },
  },

  functions: {
    title: "Functions",
    load: async () => ({ functions: (await api("/functions")).functions }),
    still: true,
    draw: ({ functions }) => {
      const list = el("div");
      const show = () => {
        const wanted = kept.search.toLowerCase();
        const found = functions.filter((one) => `${one.name} ${one.trigger} ${one.routes.join(" ")}`.toLowerCase().includes(wanted));
        list.replaceChildren(found.length ? el("div.card", {}, table(["Function", "Called by", "Access", "Limits", ""], found.map((one) => [
          el("code", {}, one.name), trigger(one), el("span.tag", {}, one.access),
          el("span.soft", {}, `${one.timeout_s} s · ${one.memory_mb} MiB`),
          one.trigger === "http" ? el("button", { onclick: () => call(one), "aria-label": `Call ${one.name}` }, "Call") : "",
        ]))) : empty("No function matches."));
      };
      show();
      return [
        head("Functions", el("span.tag", {}, String(functions.length))),
        input("search", { type: "search", placeholder: "Find by name, trigger or path", "aria-label": "Find a function",
          value: kept.search, oninput: (event) => { kept.search = event.target.value; show(); } }),
        el("div", { id: "call" }), el("br"), list,
      ];
    },
  },

  mail: {
    title: "Mail",
    load: () => api("/mail"),
    draw: ({ mails, webhooks }) => {
      const clear = el("button.danger.push", { onclick: () => act("The mail box is empty", () => api("/mail", "DELETE")) }, "Empty the box");
      if (!mails.length) return [head("Mail"), empty("No mail yet. Whatever the functions send through Mailgun lands here and nowhere else.")];
      const chosen = mails.find((one) => one.id === kept.mail) ?? mails[0];
      return [head("Mail", el("span.tag", {}, String(mails.length)), clear), el("div.split", {},
        el("div.card.list", {}, mails.map((one) => el("button", {
          "aria-current": one === chosen ? "true" : null, onclick: () => { kept.mail = one.id; refresh(true); } },
          el("strong", {}, one.subject || "(no subject)"), el("small", {}, el("span", {}, one.to.join(", ")), el("span", {}, ago(one.time)))))),
        letter(chosen, webhooks))];
    },
  },

  queues: {
    title: "Queues",
    load: () => api("/queues"),
    draw: ({ queues }) => [head("Queues"), lead("Cloud Tasks. A task answered other than 2xx comes again until its attempts are used up."),
      ...Object.entries(queues).map(([name, queue]) => el("div.card", {},
        el("div.row", {}, el("h3", {}, name), queue.paused ? el("span.tag.warn", {}, "paused") : ""),
        el("p", {}, `${queue.waiting} waiting · ${queue.running} running · ${queue.done} done`),
        queue.dead.length ? table(["Dead task", "Attempts", "Reason"], queue.dead.map((one) => [
          el("code", {}, String(one.name ?? "").split("/").pop()), one.attempts, one.reason])) : ""))],
  },

  events: {
    title: "Events",
    load: () => api("/events"),
    draw: ({ topics, subscriptions }) => [head("Events"), lead("Pub/Sub. A message is pushed to every listener until it takes it, then to dead-letters."),
      el("div.card", {}, table(["Topic", "Says", "Published", "Listeners"], Object.entries(topics).map(([name, topic]) => [
        el("code", {}, name), topic.says, topic.published ?? 0,
        topic.listeners.length ? topic.listeners.map((one) => el("div", {}, el("code", {}, one))) : "nobody"]))),
      el("div.card", {}, el("h3", {}, "Deliveries"), table(["Listener", "Waiting", "Running", "Done", "Dead"],
        Object.entries(subscriptions).map(([name, one]) => [el("code", {}, name), one.waiting, one.running, one.done, one.dead.length])))],
  },

  schedules: {
    title: "Schedules",
    load: () => api("/schedules"),
    draw: ({ schedules }) => [head("Schedules"), el("div.card", {}, table(["Function", "Cron (UTC)", "Next", "Last", ""], schedules.map((one) => [
      el("code", {}, one.name), el("code", {}, one.cron), clock(one.next), lastRun(one.last),
      el("button", { "aria-label": `Run ${one.name} now`, onclick: () => act(
        (run) => `${one.name}: ${run.status || "no answer"} after ${run.seconds} s`, () => api(`/schedules/${one.name}/run`, "POST")) }, "Run now")])))],
  },

  vendors: {
    title: "Vendors",
    load: async () => {
      const ctm = await api("/ctm");
      const account = ctm.accounts.some((one) => one.account === kept.account) ? kept.account : ctm.accounts[0]?.account;
      const [calls, monday, items, google, reviews] = await Promise.all([
        account ? api(`/ctm/${encodeURIComponent(account)}/calls`) : { calls: [] },
        api("/monday/boards"), api("/monday/items"), api("/google/locations"), api("/google/reviews")]);
      return { ctm, account, calls: calls.calls, monday, items: items.items, google, reviews: reviews.reviews };
    },
    draw: (data) => {
      const tabs = { CTM: drawCtm, Monday: drawMonday, "Google reviews": drawReviews };
      return [head("Vendors"), el("div", { role: "tablist", "aria-label": "Vendors" }, Object.keys(tabs).map((name) =>
        el("button", { role: "tab", "aria-selected": String(name === kept.vendor), onclick: () => { kept.vendor = name; refresh(true); } }, name))),
        ...tabs[kept.vendor](data)];
    },
  },

  vertex: {
    title: "Vertex AI",
    load: () => api("/vertex"),
    draw: ({ prompts, answers }) => [head("Vertex AI"), lead("What the functions asked the model, and what the stand-in answered."),
      el("div.card", {}, el("h3", {}, "Answer for prompts that contain a text"), form(
        ({ contains, answer }) => act("Answer set", () => api("/vertex", "PUT", { answers: { ...plain(answers), [contains]: answer ?? "" } })),
        field("Contains", input("contains", { required: true })), field("Answer", el("textarea", { name: "answer" }), true),
        el("button.main", {}, "Set answer"), el("button", { type: "button", onclick: () => act("Answers forgotten", () => api("/vertex", "PUT", { answers: {} })) }, "Forget all"))),
      prompts.length ? el("div.card", {}, [...prompts].reverse().map((one) => el("details", {},
        el("summary", {}, `${one.model ?? "model"} · ${String(one.text ?? one.prompt ?? "").slice(0, 90)}`), json(one)))) : empty("No prompt yet.")],
  },

  faults: {
    title: "Faults",
    load: () => api("/faults"),
    draw: ({ faults, components }) => [head("Faults"), lead("Make a vendor or a Google service fail on purpose, and watch what the functions do."),
      el("div.card", {}, form(
        ({ component, status, latency_ms, times, drop }) => act(`${component} fails now`, () => api(`/faults/${component}`, "PUT", {
          ...(status && { status: Number(status) }), ...(latency_ms && { latency_ms: Number(latency_ms) }),
          ...(times && { times: Number(times) }), ...(drop && { drop: true }) })),
        field("Component", pick("component", components)),
        field("Status", input("status", { type: "number", min: 400, max: 599, placeholder: "503" })),
        field("Latency, ms", input("latency_ms", { type: "number", min: 0, max: 600000 })),
        field("Times (empty: always)", input("times", { type: "number", min: 1 })),
        el("label.check", {}, input("drop", { type: "checkbox", value: "1" }), "drop the connection"),
        el("button.main", {}, "Switch on"))),
      Object.keys(faults).length ? el("div.card", {}, table(["Component", "Status", "Latency", "Times left", "Drops", ""],
        Object.entries(faults).map(([name, fault]) => [name, fault.status ?? "–", `${fault.latency_ms} ms`, fault.times ?? "always", fault.drop ? "yes" : "no",
          el("button", { onclick: () => act(`${name} is well again`, () => api(`/faults/${name}`, "DELETE")) }, "End")]))) : empty("Everything works.")],
  },

  dead: {
    title: "Dead work",
    load: () => api("/dead"),
    draw: ({ work }) => [head("Dead work"), lead("Work that was given up, with its reason. Sending it again starts it afresh."),
      work.length ? el("div.card", {}, table(["Work", "For", "Reason", "Died", ""], work.map((one) => [
        el("code", {}, one.id.slice(0, 8)), el("span", {}, el("span.tag", {}, one.kind), " ", el("code", {}, one.target)), one.reason,
        new Date(one.dead_at).toLocaleString(),
        el("button", { "aria-label": `Send ${one.id} again`, onclick: () => act("Sent again", () => api(`/dead/${one.id}/resend`, "POST")) }, "Send again")])))
        : empty("Nothing died.")],
  },
};

// -- parts of sections ------------------------------------------------------------------------------------------------

function trigger(one) {
  if (one.trigger === "http") return one.routes.map((route) => {
    const [method, path] = route.split(" ");
    return el("div", {}, el("span.method", {}, method), el("span.mono", {}, path));
  });
  const what = { task: `queue ${one.queue}`, event: `topic ${one.topic}`, schedule: one.cron }[one.trigger];
  return el("span", {}, el("span.tag", {}, one.trigger), " ", el("code", {}, what));
}

const lastRun = (run) => run && el("span", {}, run.status === null ? "running"
  : dot(run.status >= 200 && run.status < 300 ? "good" : "bad", String(run.status || "no answer")), el("span.soft", {}, ` ${clock(run.at)}`));

/** A form that calls one function through the gateway and shows the answer. */
function call(one) {
  const place = document.getElementById("call");
  const output = el("div", { "aria-live": "polite" });
  const route = pick("route", one.routes);
  const path = input("path", { value: one.routes[0].split(" ")[1], required: true, spellcheck: "false" });
  route.addEventListener("change", () => { path.value = route.value.split(" ")[1]; });
  const submit = async ({ route: chosen, path: target, token, body }) => {
    const method = chosen.split(" ")[0];
    const started = performance.now();
    try {
      const answer = await fetch(target, { method, body: body && method !== "GET" ? body : undefined, headers: {
        ...(token && { Authorization: `Bearer ${token}` }), ...(body && { "Content-Type": "application/json" }) } });
      const text = await answer.text();
      const tone = answer.ok ? "good" : "bad";
      output.replaceChildren(el("p", {}, dot(tone, `${answer.status} ${answer.statusText}`), el("span.soft", {}, ` · ${Math.round(performance.now() - started)} ms`)),
        el("pre", { tabindex: 0 }, pretty(text) || "(empty)"));
    } catch (error) { output.replaceChildren(el("p.bad", {}, error.message)); }
  };
  place.replaceChildren(el("br"), el("div.card", {}, el("div.head", {}, el("h3", {}, one.name),
    el("button.push", { onclick: () => place.replaceChildren() }, "Close")),
    form(submit, field("Route", route), field("Path", path, true), field("Access token (optional)", input("token", { autocomplete: "off" }), true),
      field("JSON body", el("textarea", { name: "body", spellcheck: "false" }), true), el("button.main", {}, "Send")), output));
  path.focus();
}

const pretty = (text) => { try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; } };
const plain = (answers) => Object.fromEntries(Object.entries(answers ?? {}).filter(([, one]) => one));

function letter(mail, webhooks) {
  const send = (event, more = {}) => act(`${event} was sent`, () => api(`/mail/${encodeURIComponent(mail.id)}/events`, "POST", { event, ...more }));
  const button = (text, event, more) => el("button", { onclick: () => send(event, more) }, text);
  const sent = webhooks.filter((one) => mail.events.some((event) => event.event === one.event)).slice(-6);
  const frame = mail.html && el("iframe", { sandbox: "", title: "The mail as its reader sees it", src: `${BASE}/mail/${encodeURIComponent(mail.id)}/html` });
  return el("div.card", {}, el("h3", {}, mail.subject || "(no subject)"),
    el("dl", {}, ...[["From", mail.from], ["To", mail.to.join(", ")], ["Cc", mail.cc.join(", ")], ["Tags", mail.tags.join(", ")],
      ["Sent", new Date(mail.time * 1000).toLocaleString()], ["Id", mail.id],
      ["Files", mail.attachments.map((file) => `${file.filename} (${file.size} B)`).join(", ")],
      ["Events", mail.events.map((one) => one.event).join(" → ")]]
      .filter(([, value]) => value).map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    el("div.row", { role: "group", "aria-label": "Let something happen to this mail" }, button("Delivered", "delivered"), button("Opened", "opened"),
      button("Clicked", "clicked"), button("Bounced", "failed", { severity: "permanent" }), button("Delayed", "failed", { severity: "temporary" }),
      button("Complained", "complained"), button("Unsubscribed", "unsubscribed")),
    frame || el("pre", { tabindex: 0 }, mail.text),
    mail.html && mail.text ? el("details", {}, el("summary", {}, "Plain text"), el("pre", { tabindex: 0 }, mail.text)) : "",
    sent.length ? el("details", {}, el("summary", {}, "Webhooks"), table(["Event", "Answers", "State"],
      sent.map((one) => [one.event, one.answers.map((code) => code || "no answer").join(", "), one.state]))) : "");
}

function drawCtm({ ctm, account, calls }) {
  const add = form(
    ({ account: number, transcript, duration, ...given }) => act("The call is in CTM", async () => {
      await api(`/ctm/${encodeURIComponent(number)}/calls`, "POST", { ...given, duration: Number(duration || 0), ...(transcript && { transcription: { text: transcript } }) });
      kept.account = number;
    }),
    field("Account", input("account", { value: account ?? "", required: true })), field("Name", input("name", { value: "Ada Caller" })),
    field("Number", input("caller_number", { value: "+15550100123" })), field("Seconds", input("duration", { type: "number", value: 90, min: 0 })),
    field("Transcript", el("textarea", { name: "transcript" }), true), el("button.main", {}, "Add call"));
  const chosen = ctm.accounts.find((one) => one.account === account);
  return [
    el("div.card", {}, el("details", { open: !ctm.accounts.length }, el("summary", {}, "Add a call"), el("br"), add)),
    chosen ? el("div.card", {}, el("div.row", {}, field("Account", el("select", { onchange: (event) => { kept.account = event.target.value; refresh(true); } },
      ctm.accounts.map((one) => el("option", { value: one.account, selected: one === chosen }, one.account)))),
      el("span.soft", {}, "key ", el("code", {}, chosen.api_key), " secret ", el("code", {}, chosen.api_secret), " reactors ", el("code", {}, chosen.reactors.join(", ")))),
      table(["When", "Kind", "Caller", "Number", "Source", "Rating"], calls.slice(0, 100).map((one) => [
        ago(one.unix_time), el("span.tag", {}, one.direction), one.name || "–", one.caller_number, one.source,
        one.sale?.score ? "★".repeat(one.sale.score) : "–"]))) : empty("No account yet: adding a call opens one."),
  ];
}

function drawMonday({ monday, items }) {
  if (!monday.boards.length) return [empty("No board yet. Demo data brings some; PUT /_emulators/monday/boards/{id} makes one.")];
  const change = (item, patch) => act("Changed, as a person in Monday would", () => api(`/monday/items/${item.id}`, "PATCH", patch));
  return monday.boards.map((board) => {
    const rows = items.filter((one) => one.board_id === board.id && one.state !== "deleted");
    const status = board.columns.find((one) => one.type === "status");
    const labels = status ? Object.values(JSON.parse(status.settings_str).labels ?? {}) : [];
    return el("div.card", {}, el("h3", {}, board.name, " ", el("span.tag", {}, board.id)), rows.length ? table(["Item", "Group", "Status", "Values", "Updates", ""],
      rows.map((item) => [item.name,
        el("select", { "aria-label": `Group of ${item.name}`, onchange: (event) => change(item, { group_id: event.target.value }) },
          board.groups.map((group) => el("option", { value: group.id, selected: group.id === item.group_id }, group.title))),
        status ? el("select", { "aria-label": `Status of ${item.name}`, onchange: (event) => change(item, { column_values: { [status.id]: event.target.value } }) },
          el("option", { value: "" }, "–"), labels.map((label) => el("option", { value: label, selected: label === item.column_values[status.id] }, label))) : "–",
        Object.entries(item.column_values).filter(([name, value]) => value && name !== status?.id).map(([name, value]) => el("div", {}, el("span.soft", {}, `${name}: `), value)),
        item.updates.length, el("button", { "aria-label": `Comment on ${item.name}`, onclick: () => { const text = prompt("Comment"); if (text) change(item, { update: text }); } }, "Comment")]))
      : el("p.soft", {}, "No items."));
  });
}

function drawReviews({ google, reviews }) {
  const stars = ["ONE", "TWO", "THREE", "FOUR", "FIVE"];
  return [
    el("div.card", {}, el("details", {}, el("summary", {}, "Write a review"), el("br"), form(
      ({ rating, ...given }) => act("The review is on Google", () => api("/google/reviews", "POST", { ...given, rating: Number(rating) })),
      field("Location", el("select", { name: "location" }, google.locations.map((one) => el("option", { value: one.path }, one.title)))),
      field("Stars", pick("rating", ["5", "4", "3", "2", "1"])), field("Reviewer", input("reviewer", { value: "Sam Guest" })),
      field("Words", el("textarea", { name: "comment" }), true), el("button.main", {}, "Publish")))),
    reviews.length ? el("div.card", {}, table(["Stars", "Reviewer", "Words", "Reply"], reviews.map((one) => [
      "★".repeat(stars.indexOf(one.starRating) + 1), one.reviewer.displayName, one.comment ?? "–", one.reviewReply?.comment ?? "–"]))) : empty("No review yet."),
  ];
}

// -- the page ---------------------------------------------------------------------------------------------------------

const nav = document.querySelector("nav");
const main = document.querySelector("main");
let shown = "";
let seen = "";

const current = () => (location.hash.slice(1) in sections ? location.hash.slice(1) : "overview");
const busy = () => main.contains(document.activeElement) && document.activeElement.matches("input, textarea, select, pre");

/** Load and draw the section; redraw only what changed, and never under a person's fingers unless they asked. */
async function refresh(asked = false) {
  const name = current();
  const section = sections[name];
  const moved = name !== shown;
  if (!moved && !asked && (section.still || busy() || main.querySelector("details[open]") || document.hidden)) return;
  try {
    const data = await section.load();
    if (name !== current()) return;
    const content = JSON.stringify([name, data, kept]);
    if (content !== seen) main.replaceChildren(...section.draw(data).filter(Boolean));
    seen = content;
  } catch (error) {
    seen = "";
    main.replaceChildren(head(section.title), empty(error.message));
  }
  if (moved) {
    shown = name;
    document.title = `${section.title} · Anchor local cloud`;
    for (const link of nav.children) {
      if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }
}

async function watch() {
  const state = document.getElementById("state");
  try {
    const status = await api("/status");
    const late = status.components.filter((one) => !one.ready).map((one) => one.name);
    state.replaceChildren(late.length ? dot("warn", `waiting for ${late.join(", ")}`) : dot("good", "everything runs"));
  } catch { state.replaceChildren(dot("bad", "the local cloud has stopped")); }
}

nav.append(...Object.entries(sections).map(([name, section]) => el("a", { href: `#${name}` }, section.title)));
addEventListener("hashchange", () => { refresh(); main.focus({ preventScroll: true }); });
setInterval(() => { refresh(); watch(); }, EVERY_MS);
refresh();
watch();
