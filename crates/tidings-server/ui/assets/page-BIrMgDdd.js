import{A as e,C as t,D as n,E as r,M as i,N as a,O as o,P as s,S as c,T as l,_ as u,b as d,d as f,g as p,j as m,k as h,m as g,w as _,x as v}from"./bell-tJuaTaax.js";var y=class extends m{constructor(...e){super(...e),this.again=!1,this.fault=``}static{this.styles=[g,s` :host{display:block;max-width:30rem;margin:10vh auto 0;padding:1.5rem;border:1px solid var(--t-line);border-radius:var(--t-radius);background:var(--t-surface)}h2{margin:0 0 0.5rem;font-size:1.25rem}p{color:var(--t-muted);margin:0 0 1rem}label{display:grid;gap:0.25rem;margin-bottom:1rem}input{border:1px solid var(--t-edge);border-radius:6px;background:var(--t-surface);min-height:2.25rem;padding-inline:0.5rem}.fault{color:var(--t-error)}code{font-family:var(--t-mono);font-size:0.8125rem;overflow-wrap:anywhere}`]}render(){return a`<form @submit=${e=>void this.#e(e)}>
      <h2>${d.signIn.title}</h2>
      <p>${this.again?d.signIn.again:d.signIn.lead}</p>
      <label
        >${d.signIn.token}
        <input type="password" name="token" required autocomplete="off" spellcheck="false" />
      </label>
      ${this.fault?a`<p class="fault" role="alert">${this.fault}</p>`:i}
      <p><button class="action primary">${d.signIn.submit}</button></p>
      <p>
        ${d.signIn.hint}<br /><code
          >tidings token --secret-file secret --owner 7b1d2c3e-0000-4000-8000-00000000000a</code
        >
      </p>
    </form>`}async#e(e){e.preventDefault();try{await v(``,void 0).client.signIn(this.field.value.trim()),this.field.value=``,this.fault=``,this.dispatchEvent(new CustomEvent(`signed-in`))}catch(e){this.fault=e instanceof r?[e.message,...e.remedies].join(`: `):String(e)}}};f([h({type:Boolean})],y.prototype,`again`,void 0),f([o()],y.prototype,`fault`,void 0),f([n(`input`)],y.prototype,`field`,void 0),y=f([e(`tidings-sign-in`)],y);function b(e,t){return a`<section class="command">
    <h3>${e}</h3>
    <pre tabindex="0"><code>${t}</code></pre>
    <button class="action" @click=${e=>{let n=e.currentTarget;navigator.clipboard.writeText(t).then(()=>{n.textContent=d.detail.copied},()=>{n.textContent=d.detail.copyFailed})}}>${d.welcome.copy}</button>
  </section>`}var x=`7b1d2c3e-0000-4000-8000-000000000001`,S=class extends m{constructor(...e){super(...e),this.login=!1,this.said=``}static{this.styles=[g,s` :host{display:block;max-width:44rem;margin-inline:auto;text-align:start}h2{margin:0 0 0.25rem;font-size:1.375rem}p{margin:0 0 1rem;color:var(--t-muted)}.command{position:relative;margin-bottom:1rem}.command h3{margin:0 0 0.25rem;font-size:0.875rem}.command .action{position:absolute;inset:0 0 auto auto;min-height:1.5rem;padding-block:0;font-size:0.8125rem}pre{margin:0.375rem 0 0;padding:0.75rem 1rem;overflow:auto;border:1px solid var(--t-line);border-radius:var(--t-radius);background:var(--t-raised);font:0.8125rem/1.5 var(--t-mono)}`]}render(){let e=v(``,void 0).client.access.server,t=e===`http://127.0.0.1:9081`?``:` --url ${C(e)}`,n=this.login?` -H "Authorization: Bearer $TIDINGS_TOKEN"`:``,r=JSON.stringify({actedUpon:x,category:`connection`,action:`register`,severity:`success`,description:d.welcome.example});return a`
      <h2>${d.welcome.title}</h2>
      <p>${d.welcome.lead}</p>
      ${this.login?a`<p>${d.welcome.token}</p>`:a`<p>
            <button class="action primary" @click=${()=>void this.#e()}>
              ${d.welcome.send}
            </button>
            <span role="status">${this.said}</span>
          </p>`}
      ${b(d.welcome.command,`tidings publish${t} --acted-upon ${x} \\
  --category connection --action register --severity success \\
  --description '${d.welcome.example}'`)}
      ${b(d.welcome.curl,`curl${n} ${C(`${e}/api/system/events`)} \\
  -H 'Content-Type: application/json' \\
  -d '${r}'`)}
      ${b(d.welcome.rust,`let event = Event::builder()
    .from_user(user)
    .acted_upon(cluster)
    .with_category("connection")
    .with_action("register")
    .with_severity(Severity::Success)
    .with_description("${d.welcome.example}")
    .build()?;
tidings.publish(event).await?;`)}
    `}async#e(){this.said=d.welcome.sent;try{await v(``,void 0).client.publish({actedUpon:x,category:`connection`,action:`register`,severity:`success`,description:d.welcome.example,metadata:null})}catch(e){this.said=e instanceof r?e.message:String(e)}}};f([h({type:Boolean})],S.prototype,`login`,void 0),f([o()],S.prototype,`said`,void 0),S=f([e(`tidings-welcome`)],S);function C(e){return/^[\w:/.-]+$/.test(e)?e:`'${e.replaceAll(`'`,`%27`)}'`}var w=document.querySelector(`meta[name="tidings-login"]`)?.content===`token`,T=class extends m{constructor(...e){super(...e),this.filter=t(new URLSearchParams(location.search)),this.isSignedOut=!1,this.wasSignedIn=!1,this.#e=new URLSearchParams(location.search).get(`event`)??void 0,this.#t=v(``,void 0),this.#c=()=>{this.filter=t(new URLSearchParams(location.search))}}#e;#t;#n;static{this.styles=[p,g,s` :host{display:grid;grid-template-rows:auto minmax(0,1fr);height:100dvh;background:var(--t-raised)}header{display:flex;align-items:center;gap:0.625rem;padding:0.5rem 1rem;border-bottom:1px solid var(--t-line);background:var(--t-surface)}header h1{display:flex;align-items:center;gap:0.5rem;margin:0;flex:1;font-size:1rem;font-weight:700;letter-spacing:0.01em}header h1 svg{color:var(--t-accent)}main{min-height:0;width:100%;max-width:64rem;margin-inline:auto}tidings-inbox{border-inline:1px solid var(--t-line)}`]}connectedCallback(){super.connectedCallback(),addEventListener(`popstate`,this.#c),this.#n=this.#t.listen({changed:()=>this.#r()})}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`popstate`,this.#c),this.#n?.()}render(){return a`
      <header>
        <h1>${u()} Tidings</h1>
        ${w&&!this.isSignedOut?a`<button class="action" @click=${()=>void this.#s()}>
              ${d.signIn.out}
            </button>`:i}
        <tidings-bell
          no-drawer
          @tidings-open=${e=>this.#i(e)}
        ></tidings-bell>
      </header>
      <main>
        ${this.isSignedOut?a`<tidings-sign-in
              ?again=${this.wasSignedIn}
              @signed-in=${()=>void this.#o()}
            ></tidings-sign-in>`:a`<tidings-inbox
              page-keys
              .filter=${this.filter}
              .eventId=${this.#e}
              @tidings-filter=${e=>this.#a(e.detail)}
            >
              <tidings-welcome slot="empty" ?login=${w}></tidings-welcome>
            </tidings-inbox>`}
      </main>
    `}#r(){let e=this.#t.state===`signed-out`;this.#t.state===`live`&&(this.wasSignedIn=!0),this.isSignedOut=e;let{counts:t}=this.#t,n=t&&!e?c(t.unread):0;document.title=n>0?`(${d.number(n)}) Tidings`:`Tidings`}#i(e){e.detail?this.renderRoot.querySelector(`tidings-inbox`)?.openEvent(l(e.detail)):this.#a({status:`unread`})}#a(e){let t=_(e),n=new URL(location.href);n.searchParams.toString()!==t.toString()&&(n.search=t.toString(),history.pushState(null,``,n)),this.filter=e}async#o(){this.isSignedOut=!1,await this.#t.restart()}async#s(){await this.renderRoot.querySelector(`tidings-inbox`)?.settle();try{await this.#t.client.signOut()}catch(e){if(!(e instanceof r&&e.isSignedOut))return}this.wasSignedIn=!1,await this.#t.restart()}#c};f([o()],T.prototype,`filter`,void 0),f([o()],T.prototype,`isSignedOut`,void 0),f([o()],T.prototype,`wasSignedIn`,void 0),T=f([e(`tidings-page`)],T);