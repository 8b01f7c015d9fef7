import{C as e,D as t,E as n,O as r,S as i,T as a,_ as o,b as s,f as c,g as l,k as u,p as d,s as f,u as p,v as m,w as h,x as g,y as _}from"./bell-00BRoNmF.js";var v=class extends n{constructor(...e){super(...e),this.again=!1,this.fault=``}static{this.styles=[p,u` :host{display:block;max-width:30rem;margin:10vh auto 0;padding:1.5rem;border:1px solid var(--t-line);border-radius:var(--t-radius);background:var(--t-surface)}h2{margin:0 0 0.5rem;font-size:1.25rem}p{color:var(--t-muted);margin:0 0 1rem}label{display:grid;gap:0.25rem;margin-bottom:1rem}input{border:1px solid var(--t-edge);border-radius:6px;background:var(--t-surface);min-height:2.25rem;padding-inline:0.5rem}.fault{color:var(--t-error)}code{font-family:var(--t-mono);font-size:0.8125rem;overflow-wrap:anywhere}`]}render(){return r`<form @submit=${e=>void this.#e(e)}>
      <h2>${l.signIn.title}</h2>
      <p>${this.again?l.signIn.again:l.signIn.lead}</p>
      <label
        >${l.signIn.token}
        <input type="password" name="token" required autocomplete="off" spellcheck="false" />
      </label>
      ${this.fault?r`<p class="fault" role="alert">${this.fault}</p>`:t}
      <p><button class="action primary">${l.signIn.submit}</button></p>
      <p>
        ${l.signIn.hint}<br /><code
          >tidings token --secret-file secret --owner 7b1d2c3e-0000-4000-8000-00000000000a</code
        >
      </p>
    </form>`}async#e(e){e.preventDefault();try{await o(``,void 0).client.signIn(this.field.value.trim()),this.field.value=``,this.fault=``,this.dispatchEvent(new CustomEvent(`signed-in`))}catch(e){this.fault=e instanceof g?[e.message,...e.remedies].join(`: `):String(e)}}};f([h({type:Boolean})],v.prototype,`again`,void 0),f([e()],v.prototype,`fault`,void 0),f([i(`input`)],v.prototype,`field`,void 0),v=f([a(`tidings-sign-in`)],v);function y(e,t){return r`<section class="command">
    <h3>${e}</h3>
    <pre tabindex="0"><code>${t}</code></pre>
    <button class="action" @click=${e=>{let n=e.currentTarget;navigator.clipboard.writeText(t).then(()=>{n.textContent=l.detail.copied},()=>{n.textContent=l.detail.copyFailed})}}>${l.welcome.copy}</button>
  </section>`}var b=`7b1d2c3e-0000-4000-8000-000000000001`,x=class extends n{constructor(...e){super(...e),this.login=!1,this.said=``}static{this.styles=[p,u` :host{display:block;max-width:44rem;margin-inline:auto;text-align:start}h2{margin:0 0 0.25rem;font-size:1.375rem}p{margin:0 0 1rem;color:var(--t-muted)}.command{position:relative;margin-bottom:1rem}.command h3{margin:0 0 0.25rem;font-size:0.875rem}.command .action{position:absolute;inset:0 0 auto auto;min-height:1.5rem;padding-block:0;font-size:0.8125rem}pre{margin:0.375rem 0 0;padding:0.75rem 1rem;overflow:auto;border:1px solid var(--t-line);border-radius:var(--t-radius);background:var(--t-raised);font:0.8125rem/1.5 var(--t-mono)}`]}render(){let e=o(``,void 0).client.access.server,t=e===`http://127.0.0.1:9081`?``:` --url ${S(e)}`,n=this.login?` -H "Authorization: Bearer $TIDINGS_TOKEN"`:``,i=JSON.stringify({actedUpon:b,category:`connection`,action:`register`,severity:`success`,description:l.welcome.example});return r`
      <h2>${l.welcome.title}</h2>
      <p>${l.welcome.lead}</p>
      ${this.login?r`<p>${l.welcome.token}</p>`:r`<p>
            <button class="action primary" @click=${()=>void this.#e()}>
              ${l.welcome.send}
            </button>
            <span role="status">${this.said}</span>
          </p>`}
      ${y(l.welcome.command,`tidings publish${t} --acted-upon ${b} \\
  --category connection --action register --severity success \\
  --description '${l.welcome.example}'`)}
      ${y(l.welcome.curl,`curl${n} ${S(`${e}/api/system/events`)} \\
  -H 'Content-Type: application/json' \\
  -d '${i}'`)}
      ${y(l.welcome.rust,`let event = Event::builder()
    .from_user(user)
    .acted_upon(cluster)
    .with_category("connection")
    .with_action("register")
    .with_severity(Severity::Success)
    .with_description("${l.welcome.example}")
    .build()?;
tidings.publish(event).await?;`)}
    `}async#e(){this.said=l.welcome.sent;try{await o(``,void 0).client.publish({actedUpon:b,category:`connection`,action:`register`,severity:`success`,description:l.welcome.example,metadata:null})}catch(e){this.said=e instanceof g?e.message:String(e)}}};f([h({type:Boolean})],x.prototype,`login`,void 0),f([e()],x.prototype,`said`,void 0),x=f([a(`tidings-welcome`)],x);function S(e){return/^[\w:/.-]+$/.test(e)?e:`'${e.replaceAll(`'`,`%27`)}'`}var C=document.querySelector(`meta[name="tidings-login"]`)?.content===`token`,w=class extends n{constructor(...e){super(...e),this.filter=_(new URLSearchParams(location.search)),this.isSignedOut=!1,this.wasSignedIn=!1,this.#e=new URLSearchParams(location.search).get(`event`)??void 0,this.#t=o(``,void 0),this.#c=()=>{this.filter=_(new URLSearchParams(location.search))}}#e;#t;#n;static{this.styles=[c,p,u` :host{display:grid;grid-template-rows:auto minmax(0,1fr);height:100dvh;background:var(--t-raised)}header{display:flex;align-items:center;gap:0.625rem;padding:0.5rem 1rem;border-bottom:1px solid var(--t-line);background:var(--t-surface)}header h1{display:flex;align-items:center;gap:0.5rem;margin:0;flex:1;font-size:1rem;font-weight:700;letter-spacing:0.01em}header h1 svg{color:var(--t-accent)}main{min-height:0;width:100%;max-width:64rem;margin-inline:auto}tidings-inbox{border-inline:1px solid var(--t-line)}`]}connectedCallback(){super.connectedCallback(),addEventListener(`popstate`,this.#c),this.#n=this.#t.listen({changed:()=>this.#r()})}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`popstate`,this.#c),this.#n?.()}render(){return r`
      <header>
        <h1>${d()} Tidings</h1>
        ${C&&!this.isSignedOut?r`<button class="action" @click=${()=>void this.#s()}>
              ${l.signIn.out}
            </button>`:t}
        <tidings-bell
          no-drawer
          @tidings-open=${e=>this.#i(e)}
        ></tidings-bell>
      </header>
      <main>
        ${this.isSignedOut?r`<tidings-sign-in
              ?again=${this.wasSignedIn}
              @signed-in=${()=>void this.#o()}
            ></tidings-sign-in>`:r`<tidings-inbox
              page-keys
              .filter=${this.filter}
              .eventId=${this.#e}
              @tidings-filter=${e=>this.#a(e.detail)}
            >
              <tidings-welcome slot="empty" ?login=${C}></tidings-welcome>
            </tidings-inbox>`}
      </main>
    `}#r(){let e=this.#t.state===`signed-out`;this.#t.state===`live`&&(this.wasSignedIn=!0),this.isSignedOut=e;let{counts:t}=this.#t,n=t&&!e?m(t.unread):0;document.title=n>0?`(${l.number(n)}) Tidings`:`Tidings`}#i(e){e.detail?this.renderRoot.querySelector(`tidings-inbox`)?.openEvent(e.detail.id):this.#a({status:`unread`})}#a(e){let t=s(e),n=new URL(location.href);n.searchParams.toString()!==t.toString()&&(n.search=t.toString(),history.pushState(null,``,n)),this.filter=e}async#o(){this.isSignedOut=!1,await this.#t.restart()}async#s(){await this.renderRoot.querySelector(`tidings-inbox`)?.settle();try{await this.#t.client.signOut()}catch(e){if(!(e instanceof g&&e.isSignedOut))return}this.wasSignedIn=!1,await this.#t.restart()}#c};f([e()],w.prototype,`filter`,void 0),f([e()],w.prototype,`isSignedOut`,void 0),f([e()],w.prototype,`wasSignedIn`,void 0),w=f([a(`tidings-page`)],w);