import{A as e,C as t,D as n,E as r,F as i,I as a,L as o,M as s,N as c,O as l,P as u,R as d,T as f,_ as p,b as m,j as h,k as g,m as _,w as v,y,z as b}from"./bell-DiUGnv4s.js";var x=class extends a{constructor(...e){super(...e),this.again=!1,this.fault=``}static{this.styles=[p,b` :host{display:block;max-width:30rem;margin:10vh auto 0;padding:1.5rem;border:1px solid var(--t-line);border-radius:var(--t-radius);background:var(--t-surface)}h2{margin:0 0 0.5rem;font-size:1.25rem}p{color:var(--t-muted);margin:0 0 1rem}label{display:grid;gap:0.25rem;margin-bottom:1rem}input{border:1px solid var(--t-edge);border-radius:6px;background:var(--t-surface);min-height:2.25rem;padding-inline:0.5rem}.fault{color:var(--t-error)}code{font-family:var(--t-mono);font-size:0.8125rem;overflow-wrap:anywhere}`]}render(){return d`<form @submit=${e=>void this.#e(e)}>
      <h2>${t.signIn.title}</h2>
      <p>${this.again?t.signIn.again:t.signIn.lead}</p>
      <label
        >${t.signIn.token}
        <input type="password" name="token" required autocomplete="off" spellcheck="false" />
      </label>
      ${this.fault?d`<p class="fault" role="alert">${this.fault}</p>`:o}
      <p><button class="action primary">${t.signIn.submit}</button></p>
      <p>
        ${t.signIn.hint}<br /><code
          >tidings token --secret-file secret --owner 7b1d2c3e-0000-4000-8000-00000000000a</code
        >
      </p>
    </form>`}async#e(e){e.preventDefault();try{await v(``,void 0).client.signIn(this.field.value.trim()),this.field.value=``,this.fault=``,this.dispatchEvent(new CustomEvent(`signed-in`))}catch(e){this.fault=e instanceof h?[e.message,...e.remedies].join(`: `):String(e)}}};_([u({type:Boolean})],x.prototype,`again`,void 0),_([c()],x.prototype,`fault`,void 0),_([s(`input`)],x.prototype,`field`,void 0),x=_([i(`tidings-sign-in`)],x);function S(e,n){return d`<section class="command">
    <h3>${e}</h3>
    <pre tabindex="0"><code>${n}</code></pre>
    <button class="action" @click=${e=>{let r=e.currentTarget;navigator.clipboard.writeText(n).then(()=>{r.textContent=t.detail.copied},()=>{r.textContent=t.detail.copyFailed})}}>${t.welcome.copy}</button>
  </section>`}var C=`7b1d2c3e-0000-4000-8000-000000000001`,w=class extends a{constructor(...e){super(...e),this.login=!1,this.said=``}static{this.styles=[p,b` :host{display:block;max-width:44rem;margin-inline:auto;text-align:start}h2{margin:0 0 0.25rem;font-size:1.375rem}p{margin:0 0 1rem;color:var(--t-muted)}.command{position:relative;margin-bottom:1rem}.command h3{margin:0 0 0.25rem;font-size:0.875rem}.command .action{position:absolute;inset-block-start:0;inset-inline-end:0;min-height:1.5rem;padding-block:0;font-size:0.8125rem}pre{margin:0.375rem 0 0;padding:0.75rem 1rem;overflow:auto;border:1px solid var(--t-line);border-radius:var(--t-radius);background:var(--t-raised);font:0.8125rem/1.5 var(--t-mono)}`]}render(){let e=v(``,void 0).client.access.server,n=e===`http://127.0.0.1:9081`?``:` --url ${T(e)}`,r=this.login?` -H "Authorization: Bearer $TIDINGS_TOKEN"`:``,i=JSON.stringify({actedUpon:C,category:`connection`,action:`register`,severity:`success`,description:t.welcome.example});return d`
      <h2>${t.welcome.title}</h2>
      <p>${t.welcome.lead}</p>
      ${this.login?d`<p>${t.welcome.token}</p>`:d`<p>
            <button class="action primary" @click=${()=>void this.#e()}>
              ${t.welcome.send}
            </button>
            <span role="status">${this.said}</span>
          </p>`}
      ${S(t.welcome.command,`tidings publish${n} --acted-upon ${C} \\
  --category connection --action register --severity success \\
  --description '${t.welcome.example}'`)}
      ${S(t.welcome.curl,`curl${r} ${T(`${e}/api/system/events`)} \\
  -H 'Content-Type: application/json' \\
  -d '${i}'`)}
      ${S(t.welcome.rust,`let event = Event::builder()
    .from_user(user)
    .acted_upon(cluster)
    .with_category("connection")
    .with_action("register")
    .with_severity(Severity::Success)
    .with_description("${t.welcome.example}")
    .build()?;
tidings.publish(event).await?;`)}
    `}async#e(){this.said=t.welcome.sent;try{await v(``,void 0).client.publish({actedUpon:C,category:`connection`,action:`register`,severity:`success`,description:t.welcome.example,metadata:null})}catch(e){this.said=e instanceof h?e.message:String(e)}}};_([u({type:Boolean})],w.prototype,`login`,void 0),_([c()],w.prototype,`said`,void 0),w=_([i(`tidings-welcome`)],w);function T(e){return/^[\w:/.-]+$/.test(e)?e:`'${e.replaceAll(`'`,`%27`)}'`}var E=document.querySelector(`meta[name="tidings-login"]`)?.content===`token`,D=class extends a{constructor(...e){super(...e),this.filter=r(new URLSearchParams(location.search)),this.isSignedOut=!1,this.wasSignedIn=!1,this.#e=new URLSearchParams(location.search).get(`event`)??void 0,this.#n=v(``,void 0),this.#d=()=>{let e=new URLSearchParams(location.search);this.filter=r(e);let t=e.get(`event`)??void 0,n=this.renderRoot.querySelector(`tidings-inbox`);n&&t!==this.#t&&(this.#t=t,n.closeEvent(),n.eventId=t)}}#e;#t;#n;#r;static{this.styles=[y,p,b` :host{display:grid;grid-template-rows:auto minmax(0,1fr);height:100dvh;background:var(--t-raised)}header{display:flex;align-items:center;gap:0.625rem;padding:0.25rem 1rem;border-bottom:1px solid var(--t-line);background:var(--t-surface)}header h1{display:flex;align-items:center;gap:0.5rem;margin:0;flex:1;font-size:1rem;font-weight:700;letter-spacing:0.01em}header h1 svg{color:var(--t-accent)}main{min-height:0;width:100%;max-width:64rem;margin-inline:auto}@media print{:host{display:block;height:auto}tidings-bell{display:none}}tidings-inbox{border-inline:1px solid var(--t-line)}`]}connectedCallback(){super.connectedCallback(),addEventListener(`popstate`,this.#d),this.#r=this.#n.listen({changed:()=>this.#i()})}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`popstate`,this.#d),this.#r?.()}render(){return d`
      <header>
        <h1>${m()} Tidings</h1>
        ${E&&!this.isSignedOut?d`<button class="action" @click=${()=>void this.#u()}>
              ${t.signIn.out}
            </button>`:o}
        <tidings-bell
          no-drawer
          @tidings-open=${e=>this.#a(e)}
        ></tidings-bell>
      </header>
      <main>
        ${this.isSignedOut?d`<tidings-sign-in
              ?again=${this.wasSignedIn}
              @signed-in=${()=>void this.#l()}
            ></tidings-sign-in>`:d`<tidings-inbox
              page-keys
              .filter=${this.filter}
              .eventId=${this.#e}
              @tidings-open=${t=>this.#s(e(t.detail))}
              @tidings-close=${()=>this.#s(void 0)}
              @tidings-filter=${e=>this.#o(e.detail)}
            >
              <tidings-welcome slot="empty" ?login=${E}></tidings-welcome>
            </tidings-inbox>`}
      </main>
    `}#i(){let e=this.#n.state===`signed-out`;this.#n.state===`live`&&(this.wasSignedIn=!0),this.isSignedOut=e;let{counts:n}=this.#n,r=n&&!e?f(n.unread):0;document.title=r>0?`(${t.number(r)}) Tidings`:`Tidings`}#a(e){e.detail?this.renderRoot.querySelector(`tidings-inbox`)?.openEvent(g(e.detail)):this.#o({status:`unread`})}#o(e){let t=!!(this.filter.search&&e.search)&&n({...this.filter,search:``},{...e,search:``});this.filter=e,this.#c(!t)}#s(e){this.#t=e,this.#c(!1)}#c(e){let t=l(this.filter);this.#t!==void 0&&t.set(`event`,this.#t);let n=new URL(location.href);n.searchParams.toString()!==t.toString()&&(n.search=t.toString(),e?history.pushState(null,``,n):history.replaceState(null,``,n))}async#l(){this.isSignedOut=!1,await this.#n.restart()}async#u(){await this.renderRoot.querySelector(`tidings-inbox`)?.settle();try{await this.#n.client.signOut()}catch(e){if(!(e instanceof h&&e.isSignedOut))return}this.wasSignedIn=!1,await this.#n.restart()}#d};_([c()],D.prototype,`filter`,void 0),_([c()],D.prototype,`isSignedOut`,void 0),_([c()],D.prototype,`wasSignedIn`,void 0),D=_([i(`tidings-page`)],D);