"use strict";
// Makes the page's tables sortable, the one of all cells also filtered, copied and shown in windows, and gives the cells of pictures
// a tip on hover and focus. Without it everything is still there as plain tables.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const words = new Intl.Collator("en", { numeric: true });

  // "0.5 s" and "4 of 4" begin with their number; "fail" lies beyond every number; a dash is no value.
  const number = (text) => {
    if (text === "fail") return Infinity;
    const found = /^[-+]?\d[\d.]*/.exec(text);
    return found ? Number.parseFloat(found[0]) : NaN;
  };
  const isEmpty = (text) => text === "" || text === "-";

  class DataTable {
    constructor(table) {
      this.table = table;
      this.body = table.tBodies[0];
      this.heads = [...table.tHead.rows[0].cells];
      this.names = this.heads.map((head) => head.textContent);
      const data = document.getElementById(`${table.dataset.tools}-data`);
      const read = (tr) => ({ tr, texts: [...tr.cells].map((cell) => cell.textContent) });
      this.rows = data ? JSON.parse(data.textContent).map((texts) => ({ tr: null, texts })) : [...this.body.rows].map(read);
      this.window = Number(table.dataset.window) || this.rows.length;
      this.shown = this.rows;
      this.first = 0;
      this.heads.forEach((head, column) => this.makeSortable(head, column));
    }

    makeSortable(head, column) {
      const button = make("button", { type: "button", textContent: this.names[column] });
      button.addEventListener("click", () => this.sort(column, head.getAttribute("aria-sort") === "ascending" ? -1 : 1));
      head.replaceChildren(button);
    }

    sort(column, direction) {
      this.heads.forEach((head) => head.removeAttribute("aria-sort"));
      this.heads[column].setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
      const texts = this.rows.map((row) => row.texts[column]);
      const isNumeric = texts.every((text) => isEmpty(text) || !Number.isNaN(number(text)));
      const keyed = this.rows.map((row, at) => ({ row, empty: isEmpty(texts[at]), key: isNumeric ? number(texts[at]) : texts[at] }));
      const between = isNumeric ? (a, b) => (a < b ? -1 : a > b ? 1 : 0) : words.compare;
      keyed.sort((a, b) => a.empty - b.empty || (a.empty ? 0 : direction * between(a.key, b.key)));
      this.rows = keyed.map(({ row }) => row);
      this.filter();
    }

    matches() {
      return true;
    }

    filter() {
      this.shown = this.rows.filter((row) => this.matches(row));
      this.first = 0;
      this.render();
    }

    render() {
      this.body.replaceChildren(...this.shown.slice(this.first, this.first + this.window).map((row) => this.element(row)));
    }

    element(row) {
      const cell = (text) => make("td", { textContent: text, className: ["met", "missed", "undecided"].includes(text) ? text : "" });
      row.tr ??= make("tr", {}, ...row.texts.map(cell));
      return row.tr;
    }
  }

  // The table of all cells, with its search, its choices, its windows and its copy.
  class CellTable extends DataTable {
    constructor(table) {
      super(table);
      this.roles = this.heads.map((head) => head.dataset.role);
      this.wanted = [];
      this.chosen = new Map();
      this.status = make("p", { className: "soft" });
      this.status.setAttribute("role", "status");
      this.search = make("input", { type: "search", autocomplete: "off", placeholder: "for example C=4 missed" });
      this.search.addEventListener("input", () => {
        this.wanted = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
        this.filter();
      });
      this.earlier = this.button("Earlier rows", () => this.turn(-1));
      this.later = this.button("Later rows", () => this.turn(1));
      const copy = this.button("Copy as text", () => this.copy());
      const label = make("label", {}, "Search cells", this.search);
      const tools = make("div", { className: "tools" }, label, ...this.choices(), copy, this.earlier, this.later, this.status);
      table.parentElement.before(tools);
      all("[data-static]").forEach((note) => note.remove());
      for (const row of this.rows) row.found = this.searchable(row);
      this.render();
    }

    button(text, press) {
      const button = make("button", { type: "button", textContent: text });
      button.addEventListener("click", press);
      return button;
    }

    searchable(row) {
      const named = (text, column) => (this.roles[column] === "axis" ? `${this.names[column]}=${text} ${text}` : text);
      return ` ${row.texts.map(named).join(" ").toLowerCase()} `;
    }

    choices() {
      const offered = ["variant", "verdict"].map((role) => this.roles.indexOf(role)).filter((column) => column >= 0);
      return offered.map((column) => {
        const values = [...new Set(this.rows.map((row) => row.texts[column]))].sort(words.compare);
        const options = values.map((value) => make("option", { value, textContent: value }));
        const select = make("select", {}, make("option", { value: "", textContent: "all" }), ...options);
        select.addEventListener("change", () => {
          if (select.value) this.chosen.set(column, select.value);
          else this.chosen.delete(column);
          this.filter();
        });
        const name = this.names[column];
        return make("label", {}, name[0].toUpperCase() + name.slice(1), select);
      });
    }

    // `C=4` is a whole word, so that it does not find C=40; anything else may be a part of one.
    matches(row) {
      const holds = (word) => row.found.includes(word.includes("=") ? ` ${word} ` : word);
      return this.wanted.every(holds) && [...this.chosen].every(([column, value]) => row.texts[column] === value);
    }

    turn(direction) {
      this.first += direction * this.window;
      this.render();
      this.table.parentElement.scrollTop = 0;
    }

    render() {
      super.render();
      const last = Math.min(this.first + this.window, this.shown.length);
      const isWhole = this.shown.length <= this.window;
      const rows = isWhole ? `${this.shown.length}` : `${this.first + 1} to ${last} of ${this.shown.length}`;
      this.status.textContent = `${rows} of ${this.rows.length} cells`;
      this.earlier.hidden = this.later.hidden = isWhole;
      this.earlier.disabled = this.first === 0;
      this.later.disabled = last >= this.shown.length;
    }

    async copy() {
      const text = [this.names, ...this.shown.map((row) => row.texts)].map((texts) => texts.join("\t")).join("\n");
      const isCopied = await toClipboard(text);
      this.status.textContent = isCopied ? `${this.shown.length} cells copied` : "the browser did not allow to copy";
    }
  }

  const toClipboard = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // An old browser, or one that asks for leave first.
      const focused = document.activeElement;
      const area = make("textarea", { value: text, className: "unseen" });
      document.body.append(area);
      area.select();
      const isCopied = document.execCommand("copy");
      area.remove();
      focused?.focus();
      return isCopied;
    }
  };

  // A picture's cells: one stop of the Tab key each picture, arrows from cell to cell.
  const tip = document.getElementById("tip");
  const hide = () => { tip.hidden = true; };
  const show = (cell) => {
    tip.textContent = cell.getAttribute("aria-label");
    tip.hidden = false;
    const [at, size] = [cell.getBoundingClientRect(), tip.getBoundingClientRect()];
    const width = document.documentElement.clientWidth;
    const left = Math.max(8, Math.min(at.left + at.width / 2 - size.width / 2, width - size.width - 8));
    const top = at.top - size.height - 6 > 0 ? at.top - size.height - 6 : at.bottom + 6;
    tip.style.left = `${left + window.scrollX}px`;
    tip.style.top = `${top + window.scrollY}px`;
  };
  const cellOf = (event) => event.target.closest?.(".cells > rect");

  const explore = (group) => {
    const picture = group.closest("svg");
    const cells = [...group.children];
    const columns = Number(group.dataset.columns);
    picture.setAttribute("role", "group");
    picture.setAttribute("aria-label", `${picture.querySelector("title").textContent}; arrow keys move from cell to cell`);
    for (const cell of cells) {
      const title = cell.querySelector("title");
      cell.setAttribute("role", "img");
      cell.setAttribute("aria-label", title.textContent);
      title.remove();
    }
    cells[0]?.setAttribute("tabindex", "0");
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: columns, ArrowDown: -columns };
    group.addEventListener("keydown", (event) => {
      const at = cells.indexOf(event.target);
      const step = steps[event.key];
      if (event.key === "Escape") hide();
      if (at < 0 || !step) return;
      event.preventDefault();
      const isEdge = Math.abs(step) === 1 && Math.floor(at / columns) !== Math.floor((at + step) / columns);
      const next = isEdge ? undefined : cells[at + step];
      if (!next) return;
      cells[at].removeAttribute("tabindex");
      next.setAttribute("tabindex", "0");
      next.focus();
    });
    group.addEventListener("pointerover", (event) => cellOf(event) && show(cellOf(event)));
    group.addEventListener("pointerout", hide);
    group.addEventListener("focusin", (event) => cellOf(event) && show(cellOf(event)));
    group.addEventListener("focusout", hide);
  };

  all("table.sortable").forEach((table) => (table.dataset.tools ? new CellTable(table) : new DataTable(table)));
  all("svg .cells").forEach(explore);
  // On paper nothing can be unfolded.
  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded = all("details:not([open])");
    folded.forEach((details) => { details.open = true; });
  });
  window.addEventListener("afterprint", () => folded.forEach((details) => { details.open = false; }));
})();
