import{A as e,B as t,D as n,E as r,H as i,R as a,S as o,U as s,m as c,y as l,z as u}from"./bell-BZUvGSfh.js";var d=class extends t{static{this.styles=[l,s` dialog form{margin-top:1rem;text-align:end}dialog label{display:flex;gap:0.5rem;align-items:center;min-height:1.75rem}dialog fieldset{border:1px solid var(--t-line);border-radius:6px;margin:0.75rem 0 0;display:grid;grid-template-columns:repeat(auto-fill,minmax(8rem,1fr))}dialog fieldset p{grid-column:1 / -1;margin:0.25rem 0;color:var(--t-error)}.keys{margin:0;display:grid;gap:0.25rem}.keys > div{display:grid;grid-template-columns:8rem 1fr}.keys dt{font-family:var(--t-mono);font-size:0.8125rem}.keys dd{margin:0}`]}constructor(){super(),this.kind=`help`,this.settings=n(),this.isDenied=!1,o(this)}show(){this.renderRoot.querySelector(`dialog`)?.showModal()}render(){return this.kind===`help`?this.#e():this.#t()}#e(){return i`<dialog id="help" aria-labelledby="title">
<h2 id="title">${r.help.title}</h2>
<dl class="keys">
${r.help.keys.map(([e,t])=>i`<div><dt>${e}</dt><dd>${t}</dd></div>`)}
</dl>
<form method="dialog">
<button class="action primary">${r.help.close}</button>
</form>
</dialog>`}#t(){return i`<dialog id="settings" aria-labelledby="title">
<h2 id="title">${r.settings.title}</h2>
${this.#n(`readOnOpen`)} ${this.#n(`keys`)} ${this.#r(`toasts`)}
${this.#r(`desktop`)}
<form method="dialog">
<button class="action primary">${r.settings.close}</button>
</form>
</dialog>`}#n(e){let t=this.settings[e];return i`<label
><input type="checkbox" .checked=${t} @change=${()=>this.#i({[e]:!t})} />${r.settings[e]}</label
>`}#r(t){let n=this.settings[t];return i`<fieldset>
<legend>${r.settings[t]}</legend>
${e.map(e=>i`<label
><input
type="checkbox"
.checked=${n.includes(e)}
@change=${()=>this.#i({[t]:f(n,e)})}
/>${r.severity[e]}</label
>`)}
${t===`desktop`&&this.isDenied?i`<p role="alert">${r.settings.denied}</p>`:``}
</fieldset>`}#i(e){let t={...this.settings,...e};this.dispatchEvent(new CustomEvent(`settings`,{detail:t}))}};c([a({attribute:!1})],d.prototype,`kind`,void 0),c([a({attribute:!1})],d.prototype,`settings`,void 0),c([a({attribute:!1})],d.prototype,`isDenied`,void 0),d=c([u(`tidings-dialog`)],d);function f(t,n){let r=new Set(t);return r.delete(n)||r.add(n),e.filter(e=>r.has(e))}export{d as TidingsDialog};