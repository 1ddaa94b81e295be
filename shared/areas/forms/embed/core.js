/* What both runtimes share: the page's facts, sending, thanks and complaints, the height of the frame.
   Served in front of form_runtime.js or fields_runtime.js, in one function with it. */
function anchorPage() {
  "use strict";
  var facts = JSON.parse(document.getElementById("anchor-form-config").textContent);
  var scriptNonce = document.currentScript ? document.currentScript.nonce : "";
  var key = freshKey(); // one for each set of answers: sent twice, they are stored once
  var sending = null;
  var uploaded = new Map(); // files that were sent: to the promise of their ids
  var waiting = [];
  var isReady = false;

  function freshKey() {
    var bytes = window.crypto.getRandomValues(new Uint8Array(16));
    return Array.prototype.map.call(bytes, function (byte) { return ("0" + byte.toString(16)).slice(-2); }).join("");
  }

  function failure(message, told) {
    var error = new Error(message);
    error.code = told.code;
    error.errors = Array.isArray(told.errors) ? told.errors : [];
    return error;
  }

  /* Tells once that somebody began to answer; whether it arrives matters to nobody here. */
  function tellStart() {
    if (facts.preview) return;
    fetch(facts.start_url, {
      method: "POST",
      mode: "cors",
      credentials: "omit",
      keepalive: true,
      headers: { "Content-Type": "text/plain" },
      body: JSON.stringify({ page_token: facts.page_token })
    }).catch(function () {});
  }

  /* What the server says to a POST; throws what went wrong in words for the visitor. */
  function post(url, body, headers) {
    return fetch(url, { method: "POST", mode: "cors", credentials: "omit", headers: headers, body: body }).then(
      function (answer) {
        return answer.json().catch(function () { return {}; }).then(function (told) {
          if (answer.ok && told.success) return told;
          throw failure(told.message || told.error || "Your answers could not be sent. Please try again.", told);
        });
      },
      function () { throw failure("We cannot be reached. Please check your connection and try again.", {}); }
    );
  }

  /* Sends a file once, however often its form is sent; resolves to the id that stands for it in the answers. */
  function upload(name, file) {
    if (uploaded.has(file)) return uploaded.get(file);
    if (file.size > facts.max_file_bytes) {
      var message = "A file may have at most " + Math.floor(facts.max_file_bytes / 1048576) + " MB.";
      return Promise.reject(failure(message, { errors: [{ field: name, message: message }] }));
    }
    var parts = new FormData();
    parts.append("page_token", facts.page_token);
    parts.append("field", name);
    parts.append("file", file, file.name);
    var sent = post(facts.files_url, parts).then(
      function (told) { return told.file_id; },
      function (error) {
        uploaded.delete(file);
        throw error;
      }
    );
    uploaded.set(file, sent);
    return sent;
  }

  function filesIn(given) {
    var listed = given instanceof FileList ? Array.from(given) : [].concat(given);
    return listed.length && listed.every(function (one) { return one instanceof File; }) ? listed : null;
  }

  /* The answers with ids in the place of files, which are sent one after the other. */
  function withoutFiles(payload) {
    var told = {};
    return Object.keys(payload || {}).reduce(function (before, name) {
      var files = filesIn(payload[name]);
      if (!files) {
        told[name] = payload[name];
        return before;
      }
      var ids = told[name.replace(/\[\]$/, "")] = [];
      return files.reduce(function (earlier, file) {
        return earlier.then(function () { return upload(name, file); }).then(function (id) { ids.push(id); });
      }, before);
    }, Promise.resolve()).then(function () { return told; });
  }

  function send(payload) {
    if (facts.preview) return Promise.resolve({ success: true, message: "This is a preview: nothing was sent." });
    return withoutFiles(payload).then(function (answers) {
      var body = {
        payload: answers,
        attribution: facts.attribution,
        page_token: facts.page_token,
        idempotency_key: key
      };
      return post(facts.submit_url, JSON.stringify(body), { "Content-Type": "application/json" });
    }).then(function (told) {
      key = freshKey();
      uploaded.clear();
      return told;
    });
  }

  /* Sends one set of answers; a second call while one is under way is the same call. */
  function submit(payload) {
    if (!sending) {
      sending = send(payload).finally(function () { sending = null; });
    }
    return sending;
  }

  function onReady(callback) {
    if (isReady) callback(window.AnchorFormsRuntime);
    else waiting.push(callback);
  }

  function ready() {
    isReady = true;
    waiting.splice(0).forEach(function (callback) { callback(window.AnchorFormsRuntime); });
    watchHeight();
  }

  function thank(message) {
    var thanks = document.createElement("p");
    thanks.className = "ac-thanks";
    thanks.setAttribute("role", "status");
    thanks.tabIndex = -1;
    thanks.textContent = message;
    document.body.replaceChildren(thanks);
    thanks.focus();
  }

  function clearErrors(form) {
    form.querySelectorAll(".ac-error, .ac-alert").forEach(function (note) { note.remove(); });
    form.querySelectorAll("[aria-invalid]").forEach(function (input) {
      input.removeAttribute("aria-invalid");
      input.removeAttribute("aria-errormessage");
    });
  }

  function inputsOf(form, name) {
    return Array.prototype.filter.call(form.elements, function (input) {
      return input.name === name || input.name === name + "[]";
    });
  }

  function note(className, text) {
    var line = document.createElement("p");
    line.className = className;
    line.setAttribute("role", "alert");
    line.textContent = text;
    return line;
  }

  /* Says what is wrong: beside each field that is named, and once for the whole form. */
  function showErrors(form, message, errors, reveal) {
    clearErrors(form);
    var first = null;
    (errors || []).forEach(function (wrong, at) {
      var inputs = inputsOf(form, wrong.field);
      if (!inputs.length) return;
      var line = note("ac-error", wrong.message);
      line.id = "ac-error-" + at;
      inputs.forEach(function (input) {
        input.setAttribute("aria-invalid", "true");
        input.setAttribute("aria-errormessage", line.id);
      });
      var last = inputs[inputs.length - 1];
      var place = last.closest(".ac-field") || last.closest("label") || last;
      if (place.classList.contains("ac-field")) place.appendChild(line);
      else place.after(line);
      first = first || inputs[0];
    });
    var alert = note("ac-alert", first ? "Please look at the marked answers." : message);
    form.appendChild(alert);
    if (!first) return;
    if (reveal) reveal(first);
    first.focus();
  }

  /* The honeypot: an input that no person sees or reaches, and that form-filling programs like. */
  function plantHoneypot(form) {
    var hidden = document.createElement("div");
    hidden.setAttribute("aria-hidden", "true");
    hidden.style.cssText = "position:absolute;left:-9999px;width:1px;height:1px;overflow:hidden";
    var input = document.createElement("input");
    input.type = "text";
    input.name = facts.honeypot;
    input.tabIndex = -1;
    input.autocomplete = "off";
    hidden.appendChild(input);
    form.appendChild(hidden);
  }

  /* The form's answers by name: groups and files as lists, boxes without a value as true or false. */
  function collect(form) {
    var answers = {};
    var counted = {};
    Array.prototype.forEach.call(form.elements, function (input) {
      if (input.name) counted[input.name] = (counted[input.name] || 0) + (input.type === "radio" ? 0 : 1);
    });
    Array.prototype.forEach.call(form.elements, function (input) {
      var name = input.name;
      if (!name || input.disabled || /^(button|submit|reset|image|fieldset|output|object)$/.test(input.type)) return;
      var several = counted[name] > 1 || /\[\]$/.test(name);
      if (input.type === "file") {
        if (input.files && input.files.length) answers[name] = (answers[name] || []).concat(Array.from(input.files));
        return;
      }
      if (input.type === "radio") {
        if (input.checked) answers[name] = input.value;
      } else if (input.type === "checkbox") {
        if (several) answers[name] = (answers[name] || []).concat(input.checked ? [input.value] : []);
        else if (input.dataset.group) answers[name] = input.checked ? [input.value] : [];
        else answers[name] = input.checked && input.hasAttribute("value") ? input.value : input.checked;
      } else if (input.type === "select-multiple") {
        answers[name] = Array.prototype.map.call(input.selectedOptions, function (option) { return option.value; });
      } else if (several) {
        answers[name] = (answers[name] || []).concat([input.value]);
      } else {
        answers[name] = input.value;
      }
    });
    return answers;
  }

  /* Makes a form send its answers here, once at a time, and say what became of them.
     reveal(input), where given, brings an input into view that has an error. */
  function bind(form, reveal) {
    plantHoneypot(form);
    form.addEventListener("input", tellStart, { once: true });
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      if (sending) return;
      clearErrors(form);
      var answers = collect(form);
      var pressed = event.submitter;
      if (pressed && pressed.name) answers[pressed.name] = pressed.value;
      var buttons = form.querySelectorAll("button, input[type=submit]");
      buttons.forEach(function (button) { button.disabled = true; });
      form.setAttribute("aria-busy", "true");
      submit(answers).then(
        function (told) { thank(told.message); },
        function (error) {
          buttons.forEach(function (button) { button.disabled = false; });
          form.removeAttribute("aria-busy");
          showErrors(form, error.message, error.errors, reveal);
        }
      );
    });
  }

  function postHeight() {
    var height = Math.max(document.body.scrollHeight, document.documentElement.getBoundingClientRect().height);
    var message = { type: "anchor-form-resize", formId: facts.form_id, height: Math.ceil(height) };
    window.parent.postMessage(message, facts.parent_origin);
  }

  function watchHeight() {
    if (window.parent === window || !facts.parent_origin) return; // nobody to tell
    postHeight();
    var observer = new ResizeObserver(postHeight);
    observer.observe(document.documentElement);
    observer.observe(document.body);
  }

  /* Runs the author's code by itself: a mistake in it must not keep the form from being sent. */
  function runAuthorCode(code) {
    if (!code) return;
    var script = document.createElement("script");
    script.nonce = scriptNonce;
    script.textContent = code;
    document.body.appendChild(script);
  }

  window.AnchorFormsRuntime = {
    formId: facts.form_id,
    attribution: facts.attribution,
    onReady: onReady,
    submit: submit
  };
  return {
    facts: facts,
    bind: bind,
    collect: collect,
    ready: ready,
    runAuthorCode: runAuthorCode
  };
}
