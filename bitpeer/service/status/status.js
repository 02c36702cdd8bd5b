// The status page: shows what /stream tells. Text of peers only ever becomes text, never markup.

import { Chart } from "./charts.js";

const $ = (id) => document.getElementById(id);
const MAX_EVENTS = 200, MAX_SAMPLES = 720;

// How things are written

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const count = (number) => whole.format(number).replaceAll(",", "\u2009");

function size(bytes) {
  if (bytes === null || bytes === undefined) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 999.5 && unit < units.length - 1) { bytes /= 1000; unit += 1; }
  return `${unit && bytes < 99.95 ? bytes.toFixed(1).replace(/\.0$/, "") : Math.round(bytes)}\u00a0${units[unit]}`;
}

const rate = (bytes) => `${size(bytes)}/s`;

function latency(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const milliseconds = seconds * 1000;
  if (milliseconds >= 999.5) return `${(milliseconds / 1000).toFixed(milliseconds < 9950 ? 1 : 0)}\u00a0s`;
  const digits = milliseconds === 0 || milliseconds >= 10 ? 0 : milliseconds < 1 ? 2 : 1;
  return `${milliseconds.toFixed(digits).replace(/\.0$/, "")}\u00a0ms`;
}

function span(seconds) {
  seconds = Math.max(0, Math.round(seconds));
  if (seconds < 60) return `${seconds}\u00a0s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}\u00a0min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}\u00a0h`;
  return `${Math.floor(seconds / 86400)}\u00a0d`;
}

const NETWORKS = { ipv4: "IPv4", ipv6: "IPv6", onion: "Tor", torv3: "Tor", i2p: "I2P", cjdns: "CJDNS", yggdrasil: "Yggdrasil", not_publicly_routable: "local" };
const network = (name) => NETWORKS[name] ?? name;
const KINDS = { "outbound-full-relay": "full relay", "block-relay-only": "blocks only", manual: "by hand", feeler: "feeler", inbound: "" };

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** Change the text only if it is another one, so that selections and screen readers are left alone. */
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// What is known

let status = null, peers = [], samples = [], ahead = 0;
const now = () => Date.now() / 1000 + ahead;

// Networks

function chainCard(chain) {
  const card = element("article", { className: "tipcard" });
  card.dataset.chain = chain;
  card.append(
    element("header", {}, element("h2", { textContent: chain }), element("span", { className: "quiet about" })),
    element("p", { className: "tip" }, element("span", { className: "height" }), element("small")),
    element("p", { className: "hash mono" }),
    element("progress", { max: 1 }),
    element("footer"),
  );
  return card;
}

function showChains() {
  const place = $("chains");
  const wanted = status.networks.map((each) => each.chain);
  if ([...place.children].map((card) => card.dataset.chain).join() !== wanted.join()) place.replaceChildren(...wanted.map(chainCard));
  status.networks.forEach((each, index) => {
    const card = place.children[index], { blockchain, network: net } = each;
    const claimed = blockchain.peers_height, follows = blockchain.following;
    const find = (selector) => card.querySelector(selector);
    say(find(".about"), net.subversion);
    const height = follows ? blockchain.headers : claimed;
    say(find(".height"), height < 0 ? "–" : count(height));
    say(find("small"), follows ? "headers" : height < 0 ? "no peer has told its height" : "is the height that peers tell");
    say(find(".hash"), blockchain.headers > 0 || follows ? blockchain.bestblockhash : "headers are not followed here");
    find(".hash").title = blockchain.bestblockhash;
    const bar = find("progress"), done = blockchain.verificationprogress;
    bar.hidden = !follows;
    bar.value = done;
    bar.setAttribute("aria-label", chainWords(blockchain));
    const facts = [];
    if (follows) {
      facts.push(chainWords(blockchain));
      if (blockchain.headers) facts.push(`newest block ${span(now() - blockchain.time)} old`);
    }
    facts.push(net.listening.length ? `listening on ${net.listening.join(", ")}` : "not listening");
    if (each.tor) facts.push(each.tor.onions.length ? `Tor ${each.tor.state}, as ${each.tor.onions.join(", ")}` : `Tor ${each.tor.state}`);
    if (each.bans.banned) facts.push(`${count(each.bans.banned)} banned`);
    if (net.localservicesnames.length) facts.push(`offers ${net.localservicesnames.join(", ")}`);
    const reachable = net.networks.filter((one) => one.reachable).map((one) => network(one.name));
    if (reachable.length) facts.push(`reaches ${reachable.join(", ")}`);
    const foot = find("footer");
    if ([...foot.children].map((span) => span.textContent).join("\n") !== facts.join("\n")) foot.replaceChildren(...facts.map((textContent) => element("span", { textContent })));
  });
}

function chainWords({ headers, peers_height, verificationprogress, initialblockdownload, headers_per_second }) {
  if (!initialblockdownload) return "in step with the peers";
  if (peers_height < 0) return "waiting for peers";
  const speed = headers_per_second >= 1 ? `, ${count(headers_per_second)} a second` : "";
  return `${(verificationprogress * 100).toFixed(1)} % of ${count(Math.max(peers_height, headers))}${speed}`;
}

function showWarnings() {
  const said = status.networks.flatMap((each) => each.warnings.map((text) => (several() ? `${each.chain}: ${text}` : text)));
  const place = $("warnings");
  if ([...place.children].map((each) => each.textContent).join("\n") === said.join("\n")) return;
  place.replaceChildren(...said.map((text) => element("p", { className: "warning", textContent: text[0].toUpperCase() + text.slice(1) + "." })));
}

// At a glance

function showFigures() {
  const sum = (name) => status.networks.reduce((total, each) => total + each.network[name], 0);
  const inbound = sum("connections_in"), outbound = sum("connections_out"), wanted = sum("connections_wanted"), connecting = sum("connecting");
  say($("f-peers"), count(inbound + outbound));
  say($("f-peers-more"), `${wanted ? `${outbound} of ${wanted}` : outbound} out, ${inbound} in${connecting ? `, ${connecting} connecting` : ""}`);
  const rates = ratesOf(samples), latest = rates[rates.length - 1];
  say($("f-received"), latest ? rate(latest.received) : "–");
  say($("f-sent"), latest ? rate(latest.sent) : "–");
  say($("f-received-more"), `${size(sum("totalbytesrecv"))} in all`);
  say($("f-sent-more"), `${size(sum("totalbytessent"))} in all`);
  const pings = peers.map((peer) => peer.pingtime).filter((ping) => ping !== null).sort((a, b) => a - b);
  say($("f-ping"), pings.length ? latency(pings[Math.floor((pings.length - 1) / 2)]) : "–");
  say($("f-ping-more"), pings.length ? `median, ${latency(pings[0])} at best` : "no ping answered yet");
  say($("f-memory"), size(status.process.memory_bytes));
  const cpu = latest && Number.isFinite(cpuShare) ? `${cpuShare.toFixed(1)} % CPU, ` : "";
  say($("f-cpu"), `${cpu}lag ${latency(status.reactor_lag.worst)}`);
  say($("release"), status.bitpeer);
  say($("uptime"), `Up for ${span(now() - status.since)}`);
  const title = `bitpeer: ${inbound + outbound} peers`;
  if (document.title !== title) document.title = title;
}

let cpuShare = NaN, cpuBefore = null;
function noteCpu() {
  const point = { at: status.time, used: status.process.cpu_seconds };
  if (!cpuBefore) cpuBefore = point;
  if (point.at - cpuBefore.at >= 4) {
    cpuShare = ((point.used - cpuBefore.used) / (point.at - cpuBefore.at)) * 100;
    cpuBefore = point;
  }
}

// Plots

function ratesOf(list) {
  return list.slice(1).map((sample, index) => {
    const before = list[index], passed = Math.max(sample.time - before.time, 0.001);
    return {
      time: sample.time,
      received: Math.max(0, (sample.bytesrecv - before.bytesrecv) / passed),
      sent: Math.max(0, (sample.bytessent - before.bytessent) / passed),
    };
  });
}

const traffic = new Chart($("traffic"), {
  mirrored: true,
  least: 100,
  format: (value) => rate(value),
  empty: "The first minute is being measured",
  series: [
    { name: "received", kind: "received", low: () => 0, high: (sample) => sample.received },
    { name: "sent", kind: "sent", low: () => 0, high: (sample) => -sample.sent },
  ],
});
const pings = new Chart($("latency"), {
  least: 0.001,
  format: latency,
  empty: "No ping has been answered yet",
  series: [{ name: "median", kind: "ping", low: (sample) => sample.ping_min, high: (sample) => sample.ping_max, line: (sample) => sample.ping_median }],
});

function showPlots() {
  const rates = ratesOf(samples), latest = rates[rates.length - 1];
  traffic.show(rates);
  pings.show(samples);
  if (latest) $("traffic").setAttribute("aria-label", `Traffic of the last hour. Now ${rate(latest.received)} received, ${rate(latest.sent)} sent.`);
  const last = samples[samples.length - 1];
  if (last) $("latency").setAttribute("aria-label", `Latency of the last hour. Now ${latency(last.ping_median)} in the median.`);
}

// Peers

const COLUMNS = [
  { id: "addr", name: "Address", key: (peer) => peer.addr, text: (peer) => (several() ? `${peer.addr} ${peer.chain}` : peer.addr), fill: fillAddress },
  { id: "direction", name: "Direction", key: (peer) => (peer.inbound ? 1 : 0), fill: fillDirection, text: (peer) => (peer.inbound ? "in" : "out") + peer.connection_type },
  { id: "network", name: "Network", key: (peer) => peer.network, text: (peer) => `${network(peer.network)} ${peer.transport_protocol_type}`, fill: fillNetwork },
  { id: "agent", name: "Software", key: (peer) => peer.subver, text: (peer) => peer.subver || (peer.established ? "not told" : "connecting…"), fill: fillAgent },
  { id: "services", name: "Services", key: (peer) => peer.services, text: (peer) => peer.servicesnames.join(" "), fill: fillServices },
  { id: "ping", name: "Ping", number: true, key: (peer) => peer.pingtime ?? Infinity, text: (peer) => latency(peer.pingtime) },
  { id: "received", name: "Received", number: true, key: (peer) => peer.bytesrecv, text: (peer) => size(peer.bytesrecv) },
  { id: "sent", name: "Sent", number: true, key: (peer) => peer.bytessent, text: (peer) => size(peer.bytessent) },
  { id: "height", name: "Height", number: true, key: (peer) => peer.height, text: (peer) => (peer.height < 0 ? "–" : count(peer.height)) },
  { id: "since", name: "Since", number: true, key: (peer) => -peer.conntime, text: (peer) => span(now() - peer.conntime) },
];
const CHAIN = { id: "chain", name: "Chain", key: (peer) => peer.chain };
const several = () => status !== null && status.networks.length > 1;
let sorted = { id: "since", down: true };
const rows = new Map();
let settled = false; // whether the peers that were there first are shown

const SHORT = { NETWORK: "all", NETWORK_LIMITED: "recent", WITNESS: "wit", COMPACT_FILTERS: "cf", P2P_V2: "v2" };

/** Names of onion services are long: keep both ends. */
function fillAddress(cell, peer) {
  const { addr } = peer;
  const short = addr.length > 34 ? `${addr.slice(0, 14)}…${addr.slice(-17)}` : addr;
  cell.replaceChildren(short, ...(several() ? [element("small", { textContent: peer.chain })] : []));
  cell.title = addr;
}

function fillAgent(cell) {
  cell.title = cell.dataset.text;
  cell.replaceChildren(element("span", { textContent: cell.dataset.text }));
}

function fillNetwork(cell, peer) {
  cell.replaceChildren(element("span", {}, network(peer.network), element("small", { textContent: peer.established ? peer.transport_protocol_type : "" })));
}

function fillDirection(cell, peer) {
  const kind = KINDS[peer.connection_type] ?? peer.connection_type;
  cell.className = `direction ${peer.inbound ? "in" : "out"}`;
  const arrow = element("span", { className: "arrow", textContent: peer.inbound ? "↙" : "↗" });
  arrow.setAttribute("aria-hidden", "true");
  cell.replaceChildren(element("span", {}, arrow, peer.inbound ? "in" : "out", ...(kind ? [element("small", { textContent: kind })] : [])));
}

function fillServices(cell, peer) {
  cell.replaceChildren(...peer.servicesnames.map((name) => element("span", { className: "tag", title: name, textContent: SHORT[name] ?? name.toLowerCase().replaceAll("_", " ") })));
}

/** Columns by which can be sorted: the chain has no cells of its own. */
const sortable = () => (several() ? [COLUMNS[0], CHAIN, ...COLUMNS.slice(1)] : COLUMNS);

function layHead() {
  const wanted = sortable();
  if ($("sorter").children.length === wanted.length) return;
  const button = (column) => {
    const made = element("button", { type: "button", textContent: column.name });
    made.dataset.column = column.id;
    made.addEventListener("click", () => sortBy(column.id, sorted.id === column.id ? !sorted.down : false));
    return made;
  };
  $("head").replaceChildren(...COLUMNS.map((column, index) => {
    const head = element("th", { scope: "col", className: `${column.id}${column.number ? " number" : ""}` }, button(column));
    if (index === 0 && several()) head.append(button(CHAIN));
    return head;
  }));
  $("sorter").replaceChildren(...wanted.map((column) => element("option", { value: column.id, textContent: column.name })));
  sortBy(sorted.id, sorted.down);
}

function sortBy(id, down) {
  sorted = { id, down };
  $("sorter").value = id;
  for (const head of $("head").children) {
    head.removeAttribute("aria-sort");
    for (const button of head.children) {
      const chosen = button.dataset.column === id;
      button.classList.toggle("sorted", chosen);
      if (chosen) head.setAttribute("aria-sort", down ? "descending" : "ascending");
    }
  }
  showPeers();
}

function newRow(peer) {
  const row = element("tr", { className: settled ? "new" : "" });
  row.addEventListener("animationend", () => row.classList.remove("new"));
  row.dataset.peer = `${peer.chain} ${peer.id}`;
  for (const column of COLUMNS) {
    const cell = element("td", { className: `${column.id}${column.number ? " number" : ""}` });
    cell.dataset.label = column.name;
    row.append(cell);
  }
  return row;
}

function fillRow(row, peer) {
  row.classList.toggle("pending", !peer.established);
  COLUMNS.forEach((column, index) => {
    const cell = row.children[index], text = column.text(peer);
    if (cell.dataset.text === text) return;
    cell.dataset.text = text;
    if (column.fill) column.fill(cell, peer);
    else cell.textContent = text;
  });
}

function showPeers() {
  const column = sortable().find((each) => each.id === sorted.id) ?? COLUMNS[0];
  const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (peer) => {
    const text = COLUMNS.map((each) => each.text(peer)).join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const shown = peers.filter(fits).sort((a, b) => {
    const first = column.key(a), second = column.key(b);
    const order = first < second ? -1 : first > second ? 1 : a.id - b.id;
    return sorted.down ? -order : order;
  });
  const place = $("rows"), present = new Set();
  shown.forEach((peer, index) => {
    const key = `${peer.chain} ${peer.id}`;
    present.add(key);
    let row = rows.get(key);
    if (!row) rows.set(key, (row = newRow(peer)));
    fillRow(row, peer);
    if (place.children[index] !== row) place.insertBefore(row, place.children[index] ?? null);
  });
  for (const [key, row] of rows) {
    if (present.has(key)) continue;
    row.remove();
    rows.delete(key);
  }
  say($("peers-count"), shown.length === peers.length ? `${count(peers.length)}` : `${count(shown.length)} of ${count(peers.length)}`);
  $("scroll").hidden = !shown.length;
  $("no-peers").hidden = shown.length > 0;
  if (!shown.length) say($("no-peers"), peers.length ? "No peer fits the filter." : lonely());
}

function lonely() {
  if (!status) return "Waiting for the node.";
  const wanted = status.networks.some((each) => each.network.connections_wanted);
  const listening = status.networks.flatMap((each) => each.network.listening);
  if (wanted) return "No peers yet. The node is looking for some; without internet it keeps trying, and they appear here as soon as they answer.";
  return listening.length ? `No peers yet. Others can connect to ${listening.join(" or ")}.` : "No peers yet. Those named with --connect appear here as soon as they answer.";
}

// Addresses

function showBook() {
  const totals = new Map();
  for (const each of status.networks) {
    for (const [name, counts] of Object.entries(each.addresses)) {
      const sum = totals.get(name) ?? { new: 0, tried: 0 };
      totals.set(name, { new: sum.new + counts.new, tried: sum.tried + counts.tried });
    }
  }
  const all = [...totals].map(([name, counts]) => ({ name, ...counts, total: counts.new + counts.tried })).sort((a, b) => b.total - a.total);
  const sum = all.reduce((total, each) => total + each.total, 0), most = all.length ? all[0].total : 0;
  say($("book-count"), sum ? count(sum) : "");
  const place = $("book"), state = JSON.stringify(all);
  if (place.dataset.state === state) return;
  place.dataset.state = state;
  if (!sum) {
    place.replaceChildren(element("p", { className: "empty", textContent: "No addresses are known yet. They come from seeds, and from peers." }));
    return;
  }
  place.replaceChildren(...all.filter((each) => each.total).map((each) => {
    const bar = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    bar.setAttribute("class", "bar");
    bar.setAttribute("aria-hidden", "true");
    let from = 0;
    for (const kind of ["tried", "new"]) {
      const part = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const width = (each[kind] / most) * 100;
      for (const [key, value] of Object.entries({ class: kind, x: `${from}%`, width: `${width}%`, height: "12" })) part.setAttribute(key, value);
      from += width;
      bar.append(part);
    }
    return element("div", { className: "network-row" }, element("span", { textContent: network(each.name) }), bar, element("span", { className: "quiet", textContent: `${count(each.tried)} tried, ${count(each.new)} new` }));
  }));
}

// Events

const WORDS = {
  "peer.introduced": ["", "introduced itself", (event) => event.subver],
  "peer.established": ["good", "established", (event) => event.subver],
  "peer.lost": ["bad", "lost", (event) => event.detail],
  "peer.refused": ["bad", "refused", (event) => event.detail],
  "peer.failed": ["bad", "not won", (event) => event.detail],
  "peer.evicted": ["bad", "evicted", () => "it had to make room"],
  "peer.replaced": ["bad", "replaced", () => "others do better"],
  "host.discouraged": ["bad", "discouraged", (event) => event.why],
  "headers.reorganised": ["bad", "reorganised", (event) => `${count(event.withdrawn)} blocks withdrawn, height ${count(event.height)}`],
  "headers.progress": ["", "headers", (event) => `${count(event.height)} of ${count(event.best_known)}`],
  "chain.tip": ["good", "tip", (event) => `${count(event.height)}, ${event.hash.slice(0, 20)}…`],
  "listening.opened": ["good", "listening", () => ""],
  "listening.closed": ["bad", "closed", () => ""],
  "bans.known": ["", "bans", (event) => `${count(event.banned)} banned, ${count(event.discouraged)} discouraged`],
  "tor.state": ["", "Tor", (event) => [event.state, event.why, ...event.onions].filter(Boolean).join(", ")],
  "addresses.known": ["", "addresses known", (event) => Object.entries(event.networks).map(([name, each]) => `${count(each.total)} ${network(name)}`).join(", ")],
};
const OWN = new Set(["event", "version", "number", "time", "chain", "peer", "addr", "inbound"]);

function rest(event) {
  return Object.entries(event).filter(([name]) => !OWN.has(name)).map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
}

function eventItem(event) {
  const [mood, verb, tell] = WORDS[event.event] ?? ["", event.event, rest];
  const when = new Date(event.time * 1000);
  const time = element("time", { dateTime: when.toISOString(), textContent: when.toLocaleTimeString([], { hourCycle: "h23" }), title: when.toLocaleString() });
  const said = [];
  if (several() && event.chain) said.push(`${event.chain} `);
  if (event.addr) said.push(element("span", { className: "mono", textContent: event.addr }), " ");
  const more = tell(event);
  said.push(element("b", { textContent: verb }), more ? `: ${more}` : "");
  return element("li", { className: mood }, time, element("span", { className: "what" }, ...said));
}

// Of a chain that is up to date, chain.tip says the same.
function isNews(event) {
  return event.event !== "headers.progress" || !event.current;
}

function showEvents(list) {
  $("events").replaceChildren(...list.filter(isNews).slice(-MAX_EVENTS).reverse().map(eventItem));
  $("no-events").hidden = list.length > 0;
}

function addEvent(event) {
  if (!isNews(event)) return;
  $("events").prepend(eventItem(event));
  while ($("events").children.length > MAX_EVENTS) $("events").lastElementChild.remove();
  $("no-events").hidden = true;
}

// Colours

const THEMES = { auto: ["◐", "Auto", "colours as the system has them"], light: ["○", "Light", "light colours"], dark: ["●", "Dark", "dark colours"] };

function setTheme(name) {
  const [sign, label, words] = THEMES[name];
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  $("theme").firstElementChild.textContent = sign;
  $("theme-text").textContent = label;
  $("theme").setAttribute("aria-label", `${label}: ${words}`);
  $("theme").dataset.theme = name;
  try { localStorage.setItem("theme", name); } catch { /* a browser that keeps nothing */ }
}

function storedTheme() {
  try { return localStorage.getItem("theme"); } catch { return null; }
}

$("theme").addEventListener("click", () => {
  const names = Object.keys(THEMES);
  setTheme(names[(names.indexOf($("theme").dataset.theme) + 1) % names.length]);
});
setTheme(storedTheme() in THEMES ? storedTheme() : "auto");

// What comes

function live(state, text) {
  $("live").dataset.state = state;
  say($("live-text"), text);
}

function news(content) {
  ({ status, peers } = content);
  ahead = status.time - Date.now() / 1000;
  noteCpu();
  layHead();
  showChains();
  showWarnings();
  showPeers();
  showFigures();
  showBook();
}

function open() {
  const stream = new EventSource("stream");
  const on = (name, act) => stream.addEventListener(name, (message) => {
    act(JSON.parse(message.data));
    live("live", "Live");
  });
  on("hello", (content) => {
    samples = content.history;
    settled = false;
    news(content);
    settled = true;
    showEvents(content.events);
    showPlots();
  });
  on("news", news);
  on("event", addEvent);
  on("sample", (sample) => {
    samples = [...samples, sample].slice(-MAX_SAMPLES);
    showPlots();
  });
  stream.addEventListener("error", () => {
    live("lost", "Connection lost, trying again");
    if (stream.readyState === EventSource.CLOSED) setTimeout(open, 5000);
  });
}

$("filter").addEventListener("input", () => status && showPeers());
$("sorter").addEventListener("change", () => sortBy($("sorter").value, false));
open();
