import{C as e,S as t,_ as n,a as r,b as i,c as a,d as o,f as s,g as c,h as l,m as u,p as d,r as f,s as p,v as m,w as h,x as g,y as _}from"./bell-Be4jWKWa.js";var v=class extends g{constructor(...e){super(...e),this.again=!1,this.fault=``}static{this.styles=[r,h` :host { display: block; max-width: 30rem; margin: 10vh auto 0; padding: 1.5rem; border: 1px solid var(--t-line); border-radius: var(--t-radius); background: var(--t-surface); } h2 { margin: 0 0 0.5rem; font-size: 1.25rem; } p { color: var(--t-muted); margin: 0 0 1rem; } label { display: grid; gap: 0.25rem; margin-bottom: 1rem; } input { border: 1px solid var(--t-edge); border-radius: 6px; background: var(--t-surface); min-height: 2.25rem; padding-inline: 0.5rem; } .fault { color: var(--t-error); } code { font-family: var(--t-mono); font-size: 0.8125rem; overflow-wrap: anywhere; } `]}render(){return e`<form @submit=${e=>void this.#e(e)}>
      <h2>${o.signIn.title}</h2>
      <p>${this.again?o.signIn.again:o.signIn.lead}</p>
      <label
        >${o.signIn.token}
        <input type="password" name="token" required autocomplete="off" spellcheck="false" />
      </label>
      ${this.fault?e`<p class="fault" role="alert">${this.fault}</p>`:t}
      <p><button class="action primary">${o.signIn.submit}</button></p>
      <p>
        ${o.signIn.hint}<br /><code
          >tidings token --secret-file secret --owner 7b1d2c3e-0000-4000-8000-00000000000a</code
        >
      </p>
    </form>`}async#e(e){e.preventDefault();try{await s(``,void 0).client.signIn(this.field.value.trim()),this.field.value=``,this.fault=``,this.dispatchEvent(new CustomEvent(`signed-in`))}catch(e){this.fault=e instanceof c?[e.message,...e.remedies].join(`: `):String(e)}}};f([_({type:Boolean})],v.prototype,`again`,void 0),f([m()],v.prototype,`fault`,void 0),f([n(`input`)],v.prototype,`field`,void 0),v=f([i(`tidings-sign-in`)],v);function y(t,n){return e`<section class="command">
    <h3>${t}</h3>
    <pre tabindex="0"><code>${n}</code></pre>
    <button class="action" @click=${e=>{let t=e.currentTarget;navigator.clipboard.writeText(n).then(()=>{t.textContent=o.detail.copied},()=>{t.textContent=o.detail.copyFailed})}}>${o.welcome.copy}</button>
  </section>`}var b=`7b1d2c3e-0000-4000-8000-000000000001`,x=class extends g{constructor(...e){super(...e),this.login=!1,this.said=``}static{this.styles=[r,h` :host { display: block; max-width: 44rem; margin-inline: auto; text-align: start; } h2 { margin: 0 0 0.25rem; font-size: 1.375rem; } p { margin: 0 0 1rem; color: var(--t-muted); } .command { position: relative; margin-bottom: 1rem; } .command h3 { margin: 0 0 0.25rem; font-size: 0.875rem; } .command .action { position: absolute; inset: 0 0 auto auto; min-height: 1.5rem; padding-block: 0; font-size: 0.8125rem; } pre { margin: 0.375rem 0 0; padding: 0.75rem 1rem; overflow: auto; border: 1px solid var(--t-line); border-radius: var(--t-radius); background: var(--t-raised); font: 0.8125rem/1.5 var(--t-mono); } `]}render(){let n=s(``,void 0).client.access.server,r=n===`http://127.0.0.1:9081`?``:` --server ${n}`,i=this.login?` -H "Authorization: Bearer $TOKEN"`:``,a=JSON.stringify({actedUpon:b,category:`connection`,action:`register`,severity:`success`,description:o.welcome.example});return e`
      <h2>${o.welcome.title}</h2>
      <p>${o.welcome.lead}</p>
      ${this.login?t:e`<p>
            <button class="action primary" @click=${()=>void this.#e()}>
              ${o.welcome.send}
            </button>
            <span role="status">${this.said}</span>
          </p>`}
      ${y(o.welcome.command,`tidings publish${r} --acted-upon ${b} \\
  --category connection --action register --severity success \\
  --description '${o.welcome.example}'`)}
      ${y(o.welcome.curl,`curl${i} ${n}/api/system/events \\
  -H 'Content-Type: application/json' \\
  -d '${a}'`)}
      ${y(o.welcome.rust,`let event = Event::builder()
    .from_user(user)
    .acted_upon(cluster)
    .with_category("connection")
    .with_action("register")
    .with_severity(Severity::Success)
    .with_description("${o.welcome.example}")
    .build()?;
tidings.publish(event).await?;`)}
    `}async#e(){this.said=o.welcome.sent;try{await s(``,void 0).client.publish({actedUpon:b,category:`connection`,action:`register`,severity:`success`,description:o.welcome.example,metadata:null})}catch(e){this.said=e instanceof c?e.message:String(e)}}};f([_({type:Boolean})],x.prototype,`login`,void 0),f([m()],x.prototype,`said`,void 0),x=f([i(`tidings-welcome`)],x);var S=document.querySelector(`meta[name="tidings-login"]`)?.content===`token`,C=class extends g{constructor(...e){super(...e),this.filter=u(new URLSearchParams(location.search)),this.isSignedOut=!1,this.wasSignedIn=!1,this.#e=new URLSearchParams(location.search).get(`event`)??void 0,this.#t=s(``,void 0),this.#c=()=>{this.filter=u(new URLSearchParams(location.search))}}#e;#t;#n;static{this.styles=[p,r,h` :host { display: grid; grid-template-rows: auto minmax(0, 1fr); height: 100dvh; background: var(--t-raised); } header { display: flex; align-items: center; gap: 0.625rem; padding: 0.5rem 1rem; border-bottom: 1px solid var(--t-line); background: var(--t-surface); } header h1 { display: flex; align-items: center; gap: 0.5rem; margin: 0; flex: 1; font-size: 1rem; font-weight: 700; letter-spacing: 0.01em; } header h1 svg { color: var(--t-accent); } main { min-height: 0; width: 100%; max-width: 64rem; margin-inline: auto; } tidings-inbox { border-inline: 1px solid var(--t-line); } `]}connectedCallback(){super.connectedCallback(),addEventListener(`popstate`,this.#c),this.#n=this.#t.listen({changed:()=>this.#r()})}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`popstate`,this.#c),this.#n?.()}render(){return e`
      <header>
        <h1>${a()} Tidings</h1>
        ${S&&!this.isSignedOut?e`<button class="action" @click=${()=>void this.#s()}>
              ${o.signIn.out}
            </button>`:t}
        <tidings-bell
          no-drawer
          @tidings-open=${e=>this.#i(e)}
        ></tidings-bell>
      </header>
      <main>
        ${this.isSignedOut?e`<tidings-sign-in
              ?again=${this.wasSignedIn}
              @signed-in=${()=>void this.#o()}
            ></tidings-sign-in>`:e`<tidings-inbox
              page-keys
              .filter=${this.filter}
              .eventId=${this.#e}
              @tidings-filter=${e=>this.#a(e.detail)}
            >
              <tidings-welcome slot="empty" ?login=${S}></tidings-welcome>
            </tidings-inbox>`}
      </main>
    `}#r(){let e=this.#t.state===`signed-out`;this.#t.state===`live`&&(this.wasSignedIn=!0),this.isSignedOut=e;let{counts:t}=this.#t,n=t&&!e?d(t.unread):0;document.title=n>0?`(${o.number(n)}) Tidings`:`Tidings`}#i(e){e.detail?this.renderRoot.querySelector(`tidings-inbox`)?.openEvent(e.detail.id):this.#a({status:`unread`})}#a(e){let t=l(e),n=new URL(location.href);n.searchParams.toString()!==t.toString()&&(n.search=t.toString(),history.pushState(null,``,n)),this.filter=e}async#o(){this.isSignedOut=!1,await this.#t.restart()}async#s(){await this.renderRoot.querySelector(`tidings-inbox`)?.settle();try{await this.#t.client.signOut()}catch(e){if(!(e instanceof c&&e.isSignedOut))return}this.wasSignedIn=!1,await this.#t.restart()}#c};f([m()],C.prototype,`filter`,void 0),f([m()],C.prototype,`isSignedOut`,void 0),f([m()],C.prototype,`wasSignedIn`,void 0),C=f([i(`tidings-page`)],C);