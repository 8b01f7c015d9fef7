import{A as e,C as t,D as n,E as r,F as i,I as a,M as o,N as s,O as c,P as l,S as u,T as d,_ as f,b as p,d as m,g as h,j as g,k as _,m as v,w as y,x as b}from"./bell-Cz1BHD8V.js";var x=class extends s{constructor(...e){super(...e),this.again=!1,this.fault=``}static{this.styles=[v,a` :host{display:block;max-width:30rem;margin:10vh auto 0;padding:1.5rem;border:1px solid var(--t-line);border-radius:var(--t-radius);background:var(--t-surface)}h2{margin:0 0 0.5rem;font-size:1.25rem}p{color:var(--t-muted);margin:0 0 1rem}label{display:grid;gap:0.25rem;margin-bottom:1rem}input{border:1px solid var(--t-edge);border-radius:6px;background:var(--t-surface);min-height:2.25rem;padding-inline:0.5rem}.fault{color:var(--t-error)}code{font-family:var(--t-mono);font-size:0.8125rem;overflow-wrap:anywhere}`]}render(){return i`<form @submit=${e=>void this.#e(e)}>
      <h2>${p.signIn.title}</h2>
      <p>${this.again?p.signIn.again:p.signIn.lead}</p>
      <label
        >${p.signIn.token}
        <input type="password" name="token" required autocomplete="off" spellcheck="false" />
      </label>
      ${this.fault?i`<p class="fault" role="alert">${this.fault}</p>`:l}
      <p><button class="action primary">${p.signIn.submit}</button></p>
      <p>
        ${p.signIn.hint}<br /><code
          >tidings token --secret-file secret --owner 7b1d2c3e-0000-4000-8000-00000000000a</code
        >
      </p>
    </form>`}async#e(e){e.preventDefault();try{await b(``,void 0).client.signIn(this.field.value.trim()),this.field.value=``,this.fault=``,this.dispatchEvent(new CustomEvent(`signed-in`))}catch(e){this.fault=e instanceof c?[e.message,...e.remedies].join(`: `):String(e)}}};m([g({type:Boolean})],x.prototype,`again`,void 0),m([e()],x.prototype,`fault`,void 0),m([_(`input`)],x.prototype,`field`,void 0),x=m([o(`tidings-sign-in`)],x);function S(e,t){return i`<section class="command">
    <h3>${e}</h3>
    <pre tabindex="0"><code>${t}</code></pre>
    <button class="action" @click=${e=>{let n=e.currentTarget;navigator.clipboard.writeText(t).then(()=>{n.textContent=p.detail.copied},()=>{n.textContent=p.detail.copyFailed})}}>${p.welcome.copy}</button>
  </section>`}var C=`7b1d2c3e-0000-4000-8000-000000000001`,w=class extends s{constructor(...e){super(...e),this.login=!1,this.said=``}static{this.styles=[v,a` :host{display:block;max-width:44rem;margin-inline:auto;text-align:start}h2{margin:0 0 0.25rem;font-size:1.375rem}p{margin:0 0 1rem;color:var(--t-muted)}.command{position:relative;margin-bottom:1rem}.command h3{margin:0 0 0.25rem;font-size:0.875rem}.command .action{position:absolute;inset-block-start:0;inset-inline-end:0;min-height:1.5rem;padding-block:0;font-size:0.8125rem}pre{margin:0.375rem 0 0;padding:0.75rem 1rem;overflow:auto;border:1px solid var(--t-line);border-radius:var(--t-radius);background:var(--t-raised);font:0.8125rem/1.5 var(--t-mono)}`]}render(){let e=b(``,void 0).client.access.server,t=e===`http://127.0.0.1:9081`?``:` --url ${T(e)}`,n=this.login?` -H "Authorization: Bearer $TIDINGS_TOKEN"`:``,r=JSON.stringify({actedUpon:C,category:`connection`,action:`register`,severity:`success`,description:p.welcome.example});return i`
      <h2>${p.welcome.title}</h2>
      <p>${p.welcome.lead}</p>
      ${this.login?i`<p>${p.welcome.token}</p>`:i`<p>
            <button class="action primary" @click=${()=>void this.#e()}>
              ${p.welcome.send}
            </button>
            <span role="status">${this.said}</span>
          </p>`}
      ${S(p.welcome.command,`tidings publish${t} --acted-upon ${C} \\
  --category connection --action register --severity success \\
  --description '${p.welcome.example}'`)}
      ${S(p.welcome.curl,`curl${n} ${T(`${e}/api/system/events`)} \\
  -H 'Content-Type: application/json' \\
  -d '${r}'`)}
      ${S(p.welcome.rust,`let event = Event::builder()
    .from_user(user)
    .acted_upon(cluster)
    .with_category("connection")
    .with_action("register")
    .with_severity(Severity::Success)
    .with_description("${p.welcome.example}")
    .build()?;
tidings.publish(event).await?;`)}
    `}async#e(){this.said=p.welcome.sent;try{await b(``,void 0).client.publish({actedUpon:C,category:`connection`,action:`register`,severity:`success`,description:p.welcome.example,metadata:null})}catch(e){this.said=e instanceof c?e.message:String(e)}}};m([g({type:Boolean})],w.prototype,`login`,void 0),m([e()],w.prototype,`said`,void 0),w=m([o(`tidings-welcome`)],w);function T(e){return/^[\w:/.-]+$/.test(e)?e:`'${e.replaceAll(`'`,`%27`)}'`}var E=document.querySelector(`meta[name="tidings-login"]`)?.content===`token`,D=class extends s{constructor(...e){super(...e),this.filter=t(new URLSearchParams(location.search)),this.isSignedOut=!1,this.wasSignedIn=!1,this.#e=new URLSearchParams(location.search).get(`event`)??void 0,this.#n=b(``,void 0),this.#d=()=>{let e=new URLSearchParams(location.search);this.filter=t(e);let n=e.get(`event`)??void 0,r=this.renderRoot.querySelector(`tidings-inbox`);r&&n!==this.#t&&(this.#t=n,r.closeEvent(),r.eventId=n)}}#e;#t;#n;#r;static{this.styles=[h,v,a` :host{display:grid;grid-template-rows:auto minmax(0,1fr);height:100dvh;background:var(--t-raised)}header{display:flex;align-items:center;gap:0.625rem;padding:0.25rem 1rem;border-bottom:1px solid var(--t-line);background:var(--t-surface)}header h1{display:flex;align-items:center;gap:0.5rem;margin:0;flex:1;font-size:1rem;font-weight:700;letter-spacing:0.01em}header h1 svg{color:var(--t-accent)}main{min-height:0;width:100%;max-width:64rem;margin-inline:auto}@media print{:host{display:block;height:auto}tidings-bell{display:none}}tidings-inbox{border-inline:1px solid var(--t-line)}`]}connectedCallback(){super.connectedCallback(),addEventListener(`popstate`,this.#d),this.#r=this.#n.listen({changed:()=>this.#i()})}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`popstate`,this.#d),this.#r?.()}render(){return i`
      <header>
        <h1>${f()} Tidings</h1>
        ${E&&!this.isSignedOut?i`<button class="action" @click=${()=>void this.#u()}>
              ${p.signIn.out}
            </button>`:l}
        <tidings-bell
          no-drawer
          @tidings-open=${e=>this.#a(e)}
        ></tidings-bell>
      </header>
      <main>
        ${this.isSignedOut?i`<tidings-sign-in
              ?again=${this.wasSignedIn}
              @signed-in=${()=>void this.#l()}
            ></tidings-sign-in>`:i`<tidings-inbox
              page-keys
              .filter=${this.filter}
              .eventId=${this.#e}
              @tidings-open=${e=>this.#s(n(e.detail))}
              @tidings-close=${()=>this.#s(void 0)}
              @tidings-filter=${e=>this.#o(e.detail)}
            >
              <tidings-welcome slot="empty" ?login=${E}></tidings-welcome>
            </tidings-inbox>`}
      </main>
    `}#i(){let e=this.#n.state===`signed-out`;this.#n.state===`live`&&(this.wasSignedIn=!0),this.isSignedOut=e;let{counts:t}=this.#n,n=t&&!e?u(t.unread):0;document.title=n>0?`(${p.number(n)}) Tidings`:`Tidings`}#a(e){e.detail?this.renderRoot.querySelector(`tidings-inbox`)?.openEvent(r(e.detail)):this.#o({status:`unread`})}#o(e){let t=!!(this.filter.search&&e.search)&&y({...this.filter,search:``},{...e,search:``});this.filter=e,this.#c(!t)}#s(e){this.#t=e,this.#c(!1)}#c(e){let t=d(this.filter);this.#t!==void 0&&t.set(`event`,this.#t);let n=new URL(location.href);n.searchParams.toString()!==t.toString()&&(n.search=t.toString(),e?history.pushState(null,``,n):history.replaceState(null,``,n))}async#l(){this.isSignedOut=!1,await this.#n.restart()}async#u(){await this.renderRoot.querySelector(`tidings-inbox`)?.settle();try{await this.#n.client.signOut()}catch(e){if(!(e instanceof c&&e.isSignedOut))return}this.wasSignedIn=!1,await this.#n.restart()}#d};m([e()],D.prototype,`filter`,void 0),m([e()],D.prototype,`isSignedOut`,void 0),m([e()],D.prototype,`wasSignedIn`,void 0),D=m([o(`tidings-page`)],D);