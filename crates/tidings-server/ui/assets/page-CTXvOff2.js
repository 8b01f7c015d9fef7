import{B as e,C as t,E as n,F as r,H as i,I as a,L as o,M as s,N as c,O as l,P as u,R as d,U as f,V as p,_ as m,j as h,k as g,m as _,x as v,y,z as b}from"./bell-BZUvGSfh.js";var x={welcome:{title:`Send your first event`,lead:`This inbox is empty. An event tells a user what the server did for them: the action, the resource, the result and the next step. Send one and it appears here immediately.`,token:`Set TIDINGS_TOKEN to your token before you run these commands.`,command:`Command line`,curl:`curl`,rust:`Rust`,send:`Send a test event`,sent:`Sending…`,example:`My first event: connected to the cluster`},signIn:{title:`Sign in`,lead:`Paste your access token. It is stored as a cookie that scripts cannot read.`,token:`Token`,submit:`Sign in`,out:`Sign out`,hint:`On a development server, create a token with:`,again:`Your session has expired. Sign in again to continue. No notifications are lost.`}},S=class extends e{constructor(...e){super(...e),this.again=!1,this.fault=``}static{this.styles=[y,f` :host{display:block;max-width:30rem;margin:10vh auto 0;padding:1.5rem;border:1px solid var(--t-line);border-radius:var(--t-radius);background:var(--t-surface)}h2{margin:0 0 0.5rem;font-size:1.25rem}p{color:var(--t-muted);margin:0 0 1rem}label{display:grid;gap:0.25rem;margin-bottom:1rem}input{border:1px solid var(--t-edge);border-radius:6px;background:var(--t-surface);min-height:2.25rem;padding-inline:0.5rem}.fault{color:var(--t-error)}code{font-family:var(--t-mono);font-size:0.8125rem;overflow-wrap:anywhere}`]}get#e(){return this.renderRoot.querySelector(`input`)}render(){return i`<form @submit=${e=>void this.#t(e)}>
      <h2>${x.signIn.title}</h2>
      <p>${this.again?x.signIn.again:x.signIn.lead}</p>
      <label
        >${x.signIn.token}
        <input type="password" name="token" required autocomplete="off" spellcheck="false" />
      </label>
      ${this.fault?i`<p class="fault" role="alert">${this.fault}</p>`:p}
      <p><button class="action primary">${x.signIn.submit}</button></p>
      <p>
        ${x.signIn.hint}<br /><code
          >tidings token --secret-file secret --owner 7b1d2c3e-0000-4000-8000-00000000000a</code
        >
      </p>
    </form>`}async#t(e){e.preventDefault();try{await l(``,void 0).client.signIn(this.#e.value.trim()),this.#e.value=``,this.fault=``,this.dispatchEvent(new CustomEvent(`signed-in`))}catch(e){this.fault=e instanceof a?m(e).join(`: `):String(e)}}};_([d({type:Boolean})],S.prototype,`again`,void 0),_([o()],S.prototype,`fault`,void 0),S=_([b(`tidings-sign-in`)],S);function C(e,t){return i`<section class="command">
    <h3>${e}</h3>
    <pre tabindex="0"><code>${t}</code></pre>
    <button class="action" @click=${e=>{let r=e.currentTarget;navigator.clipboard.writeText(t).then(()=>{r.textContent=n.detail.copied},()=>{r.textContent=n.detail.copyFailed})}}>${n.detail.copyShort}</button>
  </section>`}var w=`7b1d2c3e-0000-4000-8000-000000000001`,T=class extends e{constructor(...e){super(...e),this.login=!1,this.said=``}static{this.styles=[y,f` :host{display:block;max-width:44rem;margin-inline:auto;text-align:start}h2{margin:0 0 0.25rem;font-size:1.375rem}p{margin:0 0 1rem;color:var(--t-muted)}.command{position:relative;margin-bottom:1rem}.command h3{margin:0 0 0.25rem;font-size:0.875rem}.command .action{position:absolute;inset-block-start:0;inset-inline-end:0;min-height:1.5rem;padding-block:0;font-size:0.8125rem}pre{margin:0.375rem 0 0;padding:0.75rem 1rem;overflow:auto;border:1px solid var(--t-line);border-radius:var(--t-radius);background:var(--t-raised);font:0.8125rem/1.5 var(--t-mono)}`]}render(){let e=l(``,void 0).client.access.server,t=e===`http://127.0.0.1:9081`?``:` --url ${E(e)}`,n=this.login?` -H "Authorization: Bearer $TIDINGS_TOKEN"`:``,r=JSON.stringify({actedUpon:w,category:`connection`,action:`register`,severity:`success`,description:x.welcome.example});return i`
      <h2>${x.welcome.title}</h2>
      <p>${x.welcome.lead}</p>
      ${this.login?i`<p>${x.welcome.token}</p>`:i`<p>
            <button class="action primary" @click=${()=>void this.#e()}>
              ${x.welcome.send}
            </button>
            <span role="status">${this.said}</span>
          </p>`}
      ${C(x.welcome.command,`tidings publish${t} --acted-upon ${w} \\
  --category connection --action register --severity success \\
  --description '${x.welcome.example}'`)}
      ${C(x.welcome.curl,`curl${n} ${E(`${e}/api/system/events`)} \\
  -H 'Content-Type: application/json' \\
  -d '${r}'`)}
      ${C(x.welcome.rust,`let event = Event::builder()
    .from_user(user)
    .acted_upon(cluster)
    .with_category("connection")
    .with_action("register")
    .with_severity(Severity::Success)
    .with_description("${x.welcome.example}")
    .build()?;
tidings.publish(event).await?;`)}
    `}async#e(){this.said=x.welcome.sent;try{await l(``,void 0).client.publish({actedUpon:w,category:`connection`,action:`register`,severity:`success`,description:x.welcome.example,metadata:null})}catch(e){this.said=e instanceof a?e.message:String(e)}}};_([d({type:Boolean})],T.prototype,`login`,void 0),_([o()],T.prototype,`said`,void 0),T=_([b(`tidings-welcome`)],T);function E(e){return/^[\w:/.-]+$/.test(e)?e:`'${e.replaceAll(`'`,`%27`)}'`}var D=document.querySelector(`meta[name="tidings-login"]`)?.content===`token`,O=class extends e{constructor(...e){super(...e),this.filter=h(new URLSearchParams(location.search)),this.isSignedOut=!1,this.wasSignedIn=!1,this.#e=new URLSearchParams(location.search).get(`event`)??void 0,this.#n=l(``,void 0),this.#d=()=>{let e=new URLSearchParams(location.search);this.filter=h(e);let t=e.get(`event`)??void 0,n=this.renderRoot.querySelector(`tidings-inbox`);n&&t!==this.#t&&(this.#t=t,n.closeEvent(),n.eventId=t)}}#e;#t;#n;#r;static{this.styles=[v,y,f` :host{display:grid;grid-template-rows:auto minmax(0,1fr);height:100dvh;background:var(--t-raised)}header{display:flex;align-items:center;gap:0.625rem;padding:0.25rem 1rem;border-bottom:1px solid var(--t-line);background:var(--t-surface)}header h1{display:flex;align-items:center;gap:0.5rem;margin:0;flex:1;font-size:1rem;font-weight:700;letter-spacing:0.01em}header h1 svg{color:var(--t-accent)}main{min-height:0;width:100%;max-width:64rem;margin-inline:auto}@media print{:host{display:block;height:auto}tidings-bell{display:none}}tidings-inbox{border-inline:1px solid var(--t-line)}`]}connectedCallback(){super.connectedCallback(),addEventListener(`popstate`,this.#d),this.#r=this.#n.listen({changed:()=>this.#i()})}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`popstate`,this.#d),this.#r?.()}render(){return i`
      <header>
        <h1>${t()} Tidings</h1>
        ${D&&!this.isSignedOut?i`<button class="action" @click=${()=>void this.#u()}>
              ${x.signIn.out}
            </button>`:p}
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
              @tidings-open=${e=>this.#s(r(e.detail))}
              @tidings-close=${()=>this.#s(void 0)}
              @tidings-filter=${e=>this.#o(e.detail)}
            >
              <tidings-welcome slot="empty" ?login=${D}></tidings-welcome>
            </tidings-inbox>`}
      </main>
    `}#i(){let e=this.#n.state===`signed-out`;this.#n.state===`live`&&(this.wasSignedIn=!0),this.isSignedOut=e;let{counts:t}=this.#n,r=t&&!e?g(t.unread):0;document.title=r>0?`(${n.number(r)}) Tidings`:`Tidings`}#a(e){e.detail?this.renderRoot.querySelector(`tidings-inbox`)?.openEvent(u(e.detail)):this.#o({status:`unread`})}#o(e){let t=!!(this.filter.search&&e.search)&&s({...this.filter,search:``},{...e,search:``});this.filter=e,this.#c(!t)}#s(e){this.#t=e,this.#c(!1)}#c(e){let t=c(this.filter);this.#t!==void 0&&t.set(`event`,this.#t);let n=new URL(location.href);n.searchParams.toString()!==t.toString()&&(n.search=t.toString(),e?history.pushState(null,``,n):history.replaceState(null,``,n))}async#l(){this.isSignedOut=!1,await this.#n.restart()}async#u(){await this.renderRoot.querySelector(`tidings-inbox`)?.settle();try{await this.#n.client.signOut()}catch(e){if(!(e instanceof a&&e.isSignedOut))return}this.wasSignedIn=!1,await this.#n.restart()}#d};_([o()],O.prototype,`filter`,void 0),_([o()],O.prototype,`isSignedOut`,void 0),_([o()],O.prototype,`wasSignedIn`,void 0),O=_([b(`tidings-page`)],O);