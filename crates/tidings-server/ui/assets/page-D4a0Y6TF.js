import{A as e,C as t,D as n,E as r,O as i,S as a,T as o,_ as s,b as c,f as l,g as u,k as d,p as f,s as p,u as m,v as h,w as g,x as _,y as v}from"./bell-DkBltPEB.js";var y=class extends n{constructor(...e){super(...e),this.again=!1,this.fault=``}static{this.styles=[m,e` :host{display:block;max-width:30rem;margin:10vh auto 0;padding:1.5rem;border:1px solid var(--t-line);border-radius:var(--t-radius);background:var(--t-surface)}h2{margin:0 0 0.5rem;font-size:1.25rem}p{color:var(--t-muted);margin:0 0 1rem}label{display:grid;gap:0.25rem;margin-bottom:1rem}input{border:1px solid var(--t-edge);border-radius:6px;background:var(--t-surface);min-height:2.25rem;padding-inline:0.5rem}.fault{color:var(--t-error)}code{font-family:var(--t-mono);font-size:0.8125rem;overflow-wrap:anywhere}`]}render(){return d`<form @submit=${e=>void this.#e(e)}>
      <h2>${u.signIn.title}</h2>
      <p>${this.again?u.signIn.again:u.signIn.lead}</p>
      <label
        >${u.signIn.token}
        <input type="password" name="token" required autocomplete="off" spellcheck="false" />
      </label>
      ${this.fault?d`<p class="fault" role="alert">${this.fault}</p>`:i}
      <p><button class="action primary">${u.signIn.submit}</button></p>
      <p>
        ${u.signIn.hint}<br /><code
          >tidings token --secret-file secret --owner 7b1d2c3e-0000-4000-8000-00000000000a</code
        >
      </p>
    </form>`}async#e(e){e.preventDefault();try{await s(``,void 0).client.signIn(this.field.value.trim()),this.field.value=``,this.fault=``,this.dispatchEvent(new CustomEvent(`signed-in`))}catch(e){this.fault=e instanceof a?[e.message,...e.remedies].join(`: `):String(e)}}};p([o({type:Boolean})],y.prototype,`again`,void 0),p([g()],y.prototype,`fault`,void 0),p([t(`input`)],y.prototype,`field`,void 0),y=p([r(`tidings-sign-in`)],y);function b(e,t){return d`<section class="command">
    <h3>${e}</h3>
    <pre tabindex="0"><code>${t}</code></pre>
    <button class="action" @click=${e=>{let n=e.currentTarget;navigator.clipboard.writeText(t).then(()=>{n.textContent=u.detail.copied},()=>{n.textContent=u.detail.copyFailed})}}>${u.welcome.copy}</button>
  </section>`}var x=`7b1d2c3e-0000-4000-8000-000000000001`,S=class extends n{constructor(...e){super(...e),this.login=!1,this.said=``}static{this.styles=[m,e` :host{display:block;max-width:44rem;margin-inline:auto;text-align:start}h2{margin:0 0 0.25rem;font-size:1.375rem}p{margin:0 0 1rem;color:var(--t-muted)}.command{position:relative;margin-bottom:1rem}.command h3{margin:0 0 0.25rem;font-size:0.875rem}.command .action{position:absolute;inset:0 0 auto auto;min-height:1.5rem;padding-block:0;font-size:0.8125rem}pre{margin:0.375rem 0 0;padding:0.75rem 1rem;overflow:auto;border:1px solid var(--t-line);border-radius:var(--t-radius);background:var(--t-raised);font:0.8125rem/1.5 var(--t-mono)}`]}render(){let e=s(``,void 0).client.access.server,t=e===`http://127.0.0.1:9081`?``:` --url ${C(e)}`,n=this.login?` -H "Authorization: Bearer $TIDINGS_TOKEN"`:``,r=JSON.stringify({actedUpon:x,category:`connection`,action:`register`,severity:`success`,description:u.welcome.example});return d`
      <h2>${u.welcome.title}</h2>
      <p>${u.welcome.lead}</p>
      ${this.login?d`<p>${u.welcome.token}</p>`:d`<p>
            <button class="action primary" @click=${()=>void this.#e()}>
              ${u.welcome.send}
            </button>
            <span role="status">${this.said}</span>
          </p>`}
      ${b(u.welcome.command,`tidings publish${t} --acted-upon ${x} \\
  --category connection --action register --severity success \\
  --description '${u.welcome.example}'`)}
      ${b(u.welcome.curl,`curl${n} ${C(`${e}/api/system/events`)} \\
  -H 'Content-Type: application/json' \\
  -d '${r}'`)}
      ${b(u.welcome.rust,`let event = Event::builder()
    .from_user(user)
    .acted_upon(cluster)
    .with_category("connection")
    .with_action("register")
    .with_severity(Severity::Success)
    .with_description("${u.welcome.example}")
    .build()?;
tidings.publish(event).await?;`)}
    `}async#e(){this.said=u.welcome.sent;try{await s(``,void 0).client.publish({actedUpon:x,category:`connection`,action:`register`,severity:`success`,description:u.welcome.example,metadata:null})}catch(e){this.said=e instanceof a?e.message:String(e)}}};p([o({type:Boolean})],S.prototype,`login`,void 0),p([g()],S.prototype,`said`,void 0),S=p([r(`tidings-welcome`)],S);function C(e){return/^[\w:/.-]+$/.test(e)?e:`'${e.replaceAll(`'`,`%27`)}'`}var w=document.querySelector(`meta[name="tidings-login"]`)?.content===`token`,T=class extends n{constructor(...e){super(...e),this.filter=v(new URLSearchParams(location.search)),this.isSignedOut=!1,this.wasSignedIn=!1,this.#e=new URLSearchParams(location.search).get(`event`)??void 0,this.#t=s(``,void 0),this.#c=()=>{this.filter=v(new URLSearchParams(location.search))}}#e;#t;#n;static{this.styles=[l,m,e` :host{display:grid;grid-template-rows:auto minmax(0,1fr);height:100dvh;background:var(--t-raised)}header{display:flex;align-items:center;gap:0.625rem;padding:0.5rem 1rem;border-bottom:1px solid var(--t-line);background:var(--t-surface)}header h1{display:flex;align-items:center;gap:0.5rem;margin:0;flex:1;font-size:1rem;font-weight:700;letter-spacing:0.01em}header h1 svg{color:var(--t-accent)}main{min-height:0;width:100%;max-width:64rem;margin-inline:auto}tidings-inbox{border-inline:1px solid var(--t-line)}`]}connectedCallback(){super.connectedCallback(),addEventListener(`popstate`,this.#c),this.#n=this.#t.listen({changed:()=>this.#r()})}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`popstate`,this.#c),this.#n?.()}render(){return d`
      <header>
        <h1>${f()} Tidings</h1>
        ${w&&!this.isSignedOut?d`<button class="action" @click=${()=>void this.#s()}>
              ${u.signIn.out}
            </button>`:i}
        <tidings-bell
          no-drawer
          @tidings-open=${e=>this.#i(e)}
        ></tidings-bell>
      </header>
      <main>
        ${this.isSignedOut?d`<tidings-sign-in
              ?again=${this.wasSignedIn}
              @signed-in=${()=>void this.#o()}
            ></tidings-sign-in>`:d`<tidings-inbox
              page-keys
              .filter=${this.filter}
              .eventId=${this.#e}
              @tidings-filter=${e=>this.#a(e.detail)}
            >
              <tidings-welcome slot="empty" ?login=${w}></tidings-welcome>
            </tidings-inbox>`}
      </main>
    `}#r(){let e=this.#t.state===`signed-out`;this.#t.state===`live`&&(this.wasSignedIn=!0),this.isSignedOut=e;let{counts:t}=this.#t,n=t&&!e?h(t.unread):0;document.title=n>0?`(${u.number(n)}) Tidings`:`Tidings`}#i(e){e.detail?this.renderRoot.querySelector(`tidings-inbox`)?.openEvent(_(e.detail)):this.#a({status:`unread`})}#a(e){let t=c(e),n=new URL(location.href);n.searchParams.toString()!==t.toString()&&(n.search=t.toString(),history.pushState(null,``,n)),this.filter=e}async#o(){this.isSignedOut=!1,await this.#t.restart()}async#s(){await this.renderRoot.querySelector(`tidings-inbox`)?.settle();try{await this.#t.client.signOut()}catch(e){if(!(e instanceof a&&e.isSignedOut))return}this.wasSignedIn=!1,await this.#t.restart()}#c};p([g()],T.prototype,`filter`,void 0),p([g()],T.prototype,`isSignedOut`,void 0),p([g()],T.prototype,`wasSignedIn`,void 0),T=p([r(`tidings-page`)],T);