import{C as e,S as t,_ as n,a as r,b as i,d as a,f as o,g as s,h as c,m as l,p as u,r as d,s as f,u as p,v as m,x as h,y as g}from"./bell-BQh3iSW1.js";var _=class extends i{constructor(...e){super(...e),this.again=!1,this.fault=``}static{this.styles=[r,e`
      :host {
        display: block;
        max-width: 30rem;
        margin: 10vh auto 0;
        padding: 1.5rem;
        border: 1px solid var(--t-line);
        border-radius: var(--t-radius);
        background: var(--t-surface);
      }
      h2 {
        margin: 0 0 0.5rem;
        font-size: 1.25rem;
      }
      p {
        color: var(--t-muted);
        margin: 0 0 1rem;
      }
      label {
        display: grid;
        gap: 0.25rem;
        margin-bottom: 1rem;
      }
      input {
        border: 1px solid var(--t-edge);
        border-radius: 6px;
        background: var(--t-surface);
        min-height: 2.25rem;
        padding-inline: 0.5rem;
      }
      .fault {
        color: var(--t-error);
      }
      code {
        font-family: var(--t-mono);
        font-size: 0.8125rem;
        overflow-wrap: anywhere;
      }
    `]}render(){return t`<form @submit=${e=>void this.#e(e)}>
      <h2>${p.signIn.title}</h2>
      <p>${this.again?p.signIn.again:p.signIn.lead}</p>
      <label
        >${p.signIn.token}
        <input type="password" name="token" required autocomplete="off" spellcheck="false" />
      </label>
      ${this.fault?t`<p class="fault" role="alert">${this.fault}</p>`:h}
      <p><button class="action primary">${p.signIn.submit}</button></p>
      <p>
        ${p.signIn.hint}<br /><code
          >tidings token --secret-file secret --owner 7b1d2c3e-0000-4000-8000-00000000000a</code
        >
      </p>
    </form>`}async#e(e){e.preventDefault();try{await a(``,void 0).client.signIn(this.field.value.trim()),this.field.value=``,this.fault=``,this.dispatchEvent(new CustomEvent(`signed-in`))}catch(e){this.fault=e instanceof u?[e.message,...e.remedies].join(`. `):String(e)}}};d([m({type:Boolean})],_.prototype,`again`,void 0),d([n()],_.prototype,`fault`,void 0),d([s(`input`)],_.prototype,`field`,void 0),_=d([g(`tidings-sign-in`)],_);function v(e,n){return t`<section class="command">
    <h3>${e}</h3>
    <pre tabindex="0"><code>${n}</code></pre>
    <button class="action" @click=${e=>{let t=e.currentTarget;navigator.clipboard.writeText(n).then(()=>{t.textContent=p.detail.copied},()=>{t.textContent=p.detail.copyFailed})}}>${p.welcome.copy}</button>
  </section>`}var y=`7b1d2c3e-0000-4000-8000-000000000001`,b=class extends i{constructor(...e){super(...e),this.login=!1,this.said=``}static{this.styles=[r,e`
      :host {
        display: block;
        max-width: 44rem;
        margin-inline: auto;
        text-align: start;
      }
      h2 {
        margin: 0 0 0.25rem;
        font-size: 1.375rem;
      }
      p {
        margin: 0 0 1rem;
        color: var(--t-muted);
      }
      .command {
        position: relative;
        margin-bottom: 1rem;
      }
      .command h3 {
        margin: 0 0 0.25rem;
        font-size: 0.875rem;
      }
      .command .action {
        position: absolute;
        inset: 0 0 auto auto;
        min-height: 1.5rem;
        padding-block: 0;
        font-size: 0.8125rem;
      }
      pre {
        margin: 0.375rem 0 0;
        padding: 0.75rem 1rem;
        overflow: auto;
        border: 1px solid var(--t-line);
        border-radius: var(--t-radius);
        background: var(--t-raised);
        font: 0.8125rem/1.5 var(--t-mono);
      }
    `]}render(){let{origin:e}=location,n=e===`http://127.0.0.1:9081`?``:` --server ${e}`,r=this.login?` -H "Authorization: Bearer $TOKEN"`:``,i=JSON.stringify({actedUpon:y,category:`connection`,action:`register`,severity:`success`,description:p.welcome.example});return t`
      <h2>${p.welcome.title}</h2>
      <p>${p.welcome.lead}</p>
      ${this.login?h:t`<p>
            <button class="action primary" @click=${()=>void this.#e()}>
              ${p.welcome.send}
            </button>
            <span role="status">${this.said}</span>
          </p>`}
      ${v(p.welcome.command,`tidings publish${n} --acted-upon ${y} \\
  --category connection --action register --severity success \\
  --description '${p.welcome.example}'`)}
      ${v(p.welcome.curl,`curl${r} ${e}/api/system/events \\
  -H 'Content-Type: application/json' \\
  -d '${i}'`)}
      ${v(p.welcome.rust,`let event = Event::builder()
    .from_user(user)
    .acted_upon(cluster)
    .with_category("connection")
    .with_action("register")
    .with_severity(Severity::Success)
    .with_description("${p.welcome.example}")
    .build()?;
tidings.publish(event).await?;`)}
    `}async#e(){this.said=p.welcome.sent;try{await a(``,void 0).client.publish({actedUpon:y,category:`connection`,action:`register`,severity:`success`,description:p.welcome.example,metadata:null})}catch(e){this.said=e instanceof u?e.message:String(e)}}};d([m({type:Boolean})],b.prototype,`login`,void 0),d([n()],b.prototype,`said`,void 0),b=d([g(`tidings-welcome`)],b);var x=document.querySelector(`meta[name="tidings-login"]`)?.content===`token`,S=class extends i{constructor(...e){super(...e),this.filter=l(new URLSearchParams(location.search)),this.isSignedOut=!1,this.wasSignedIn=!1,this.#e=new URLSearchParams(location.search).get(`event`)??void 0,this.#t=a(``,void 0),this.#c=()=>{this.filter=l(new URLSearchParams(location.search))}}#e;#t;#n;static{this.styles=[r,e`
      :host {
        display: grid;
        grid-template-rows: auto minmax(0, 1fr);
        height: 100dvh;
        background: var(--t-raised);
      }
      header {
        display: flex;
        align-items: center;
        gap: 0.625rem;
        padding: 0.5rem 1rem;
        border-bottom: 1px solid var(--t-line);
        background: var(--t-surface);
      }
      header h1 {
        display: flex;
        align-items: center;
        gap: 0.5rem;
        margin: 0;
        flex: 1;
        font-size: 1rem;
        font-weight: 700;
        letter-spacing: 0.01em;
      }
      header h1 svg {
        color: var(--t-accent);
      }
      main {
        min-height: 0;
        width: 100%;
        max-width: 64rem;
        margin-inline: auto;
      }
      tidings-inbox {
        border-inline: 1px solid var(--t-line);
      }
    `]}connectedCallback(){super.connectedCallback(),addEventListener(`popstate`,this.#c),this.#n=this.#t.listen({changed:()=>this.#r()})}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`popstate`,this.#c),this.#n?.()}render(){return t`
      <header>
        <h1>${f()} Tidings</h1>
        ${x&&!this.isSignedOut?t`<button class="action" @click=${()=>void this.#s()}>
              ${p.signIn.out}
            </button>`:h}
        <tidings-bell
          no-drawer
          @tidings-open=${e=>this.#i(e)}
        ></tidings-bell>
      </header>
      <main>
        ${this.isSignedOut?t`<tidings-sign-in
              ?again=${this.wasSignedIn}
              @signed-in=${()=>void this.#o()}
            ></tidings-sign-in>`:t`<tidings-inbox
              page-keys
              .filter=${this.filter}
              .eventId=${this.#e}
              @tidings-filter=${e=>this.#a(e.detail)}
            >
              <tidings-welcome slot="empty" ?login=${x}></tidings-welcome>
            </tidings-inbox>`}
      </main>
    `}#r(){let e=this.#t.state===`signed-out`;this.#t.state===`live`&&(this.wasSignedIn=!0),this.isSignedOut=e;let{counts:t}=this.#t,n=t&&!e?o(t.unread):0;document.title=n>0?`(${p.number(n)}) Tidings`:`Tidings`}#i(e){e.detail?this.renderRoot.querySelector(`tidings-inbox`)?.openEvent(e.detail.id):this.#a({status:`unread`})}#a(e){let t=c(e),n=new URL(location.href);n.searchParams.toString()!==t.toString()&&(n.search=t.toString(),history.pushState(null,``,n)),this.filter=e}async#o(){this.isSignedOut=!1,await this.#t.restart()}async#s(){await this.#t.client.signOut().catch(()=>void 0),this.wasSignedIn=!1,await this.#t.restart()}#c};d([n()],S.prototype,`filter`,void 0),d([n()],S.prototype,`isSignedOut`,void 0),d([n()],S.prototype,`wasSignedIn`,void 0),S=d([g(`tidings-page`)],S);