var e=globalThis,t=e.ShadowRoot&&(e.ShadyCSS===void 0||e.ShadyCSS.nativeShadow)&&`adoptedStyleSheets`in Document.prototype&&`replace`in CSSStyleSheet.prototype,n=Symbol(),r=new WeakMap,i=class{constructor(e,t,r){if(this._$cssResult$=!0,r!==n)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=e,this.t=t}get styleSheet(){let e=this.o,n=this.t;if(t&&e===void 0){let t=n!==void 0&&n.length===1;t&&(e=r.get(n)),e===void 0&&((this.o=e=new CSSStyleSheet).replaceSync(this.cssText),t&&r.set(n,e))}return e}toString(){return this.cssText}},a=e=>new i(typeof e==`string`?e:e+``,void 0,n),o=(e,...t)=>new i(e.length===1?e[0]:t.reduce((t,n,r)=>t+(e=>{if(!0===e._$cssResult$)return e.cssText;if(typeof e==`number`)return e;throw Error(`Value passed to 'css' function must be a 'css' function result: `+e+`. Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.`)})(n)+e[r+1],e[0]),e,n),s=(n,r)=>{if(t)n.adoptedStyleSheets=r.map(e=>e instanceof CSSStyleSheet?e:e.styleSheet);else for(let t of r){let r=document.createElement(`style`),i=e.litNonce;i!==void 0&&r.setAttribute(`nonce`,i),r.textContent=t.cssText,n.appendChild(r)}},c=t?e=>e:e=>e instanceof CSSStyleSheet?(e=>{let t=``;for(let n of e.cssRules)t+=n.cssText;return a(t)})(e):e,{is:l,defineProperty:u,getOwnPropertyDescriptor:d,getOwnPropertyNames:f,getOwnPropertySymbols:p,getPrototypeOf:m}=Object,h=globalThis,ee=h.trustedTypes,te=ee?ee.emptyScript:``,ne=h.reactiveElementPolyfillSupport,g=(e,t)=>e,re={toAttribute(e,t){switch(t){case Boolean:e=e?te:null;break;case Object:case Array:e=e==null?e:JSON.stringify(e)}return e},fromAttribute(e,t){let n=e;switch(t){case Boolean:n=e!==null;break;case Number:n=e===null?null:Number(e);break;case Object:case Array:try{n=JSON.parse(e)}catch{n=null}}return n}},ie=(e,t)=>!l(e,t),ae={attribute:!0,type:String,converter:re,reflect:!1,useDefault:!1,hasChanged:ie};Symbol.metadata??=Symbol(`metadata`),h.litPropertyMetadata??=new WeakMap;var _=class extends HTMLElement{static addInitializer(e){this._$Ei(),(this.l??=[]).push(e)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(e,t=ae){if(t.state&&(t.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(e)&&((t=Object.create(t)).wrapped=!0),this.elementProperties.set(e,t),!t.noAccessor){let n=Symbol(),r=this.getPropertyDescriptor(e,n,t);r!==void 0&&u(this.prototype,e,r)}}static getPropertyDescriptor(e,t,n){let{get:r,set:i}=d(this.prototype,e)??{get(){return this[t]},set(e){this[t]=e}};return{get:r,set(t){let a=r?.call(this);i?.call(this,t),this.requestUpdate(e,a,n)},configurable:!0,enumerable:!0}}static getPropertyOptions(e){return this.elementProperties.get(e)??ae}static _$Ei(){if(this.hasOwnProperty(g(`elementProperties`)))return;let e=m(this);e.finalize(),e.l!==void 0&&(this.l=[...e.l]),this.elementProperties=new Map(e.elementProperties)}static finalize(){if(this.hasOwnProperty(g(`finalized`)))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(g(`properties`))){let e=this.properties,t=[...f(e),...p(e)];for(let n of t)this.createProperty(n,e[n])}let e=this[Symbol.metadata];if(e!==null){let t=litPropertyMetadata.get(e);if(t!==void 0)for(let[e,n]of t)this.elementProperties.set(e,n)}this._$Eh=new Map;for(let[e,t]of this.elementProperties){let n=this._$Eu(e,t);n!==void 0&&this._$Eh.set(n,e)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(e){let t=[];if(Array.isArray(e)){let n=new Set(e.flat(1/0).reverse());for(let e of n)t.unshift(c(e))}else e!==void 0&&t.push(c(e));return t}static _$Eu(e,t){let n=t.attribute;return!1===n?void 0:typeof n==`string`?n:typeof e==`string`?e.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(e=>this.enableUpdating=e),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(e=>e(this))}addController(e){(this._$EO??=new Set).add(e),this.renderRoot!==void 0&&this.isConnected&&e.hostConnected?.()}removeController(e){this._$EO?.delete(e)}_$E_(){let e=new Map,t=this.constructor.elementProperties;for(let n of t.keys())this.hasOwnProperty(n)&&(e.set(n,this[n]),delete this[n]);e.size>0&&(this._$Ep=e)}createRenderRoot(){let e=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return s(e,this.constructor.elementStyles),e}connectedCallback(){this.renderRoot??=this.createRenderRoot(),this.enableUpdating(!0),this._$EO?.forEach(e=>e.hostConnected?.())}enableUpdating(e){}disconnectedCallback(){this._$EO?.forEach(e=>e.hostDisconnected?.())}attributeChangedCallback(e,t,n){this._$AK(e,n)}_$ET(e,t){let n=this.constructor.elementProperties.get(e),r=this.constructor._$Eu(e,n);if(r!==void 0&&!0===n.reflect){let i=(n.converter?.toAttribute===void 0?re:n.converter).toAttribute(t,n.type);this._$Em=e,i==null?this.removeAttribute(r):this.setAttribute(r,i),this._$Em=null}}_$AK(e,t){let n=this.constructor,r=n._$Eh.get(e);if(r!==void 0&&this._$Em!==r){let e=n.getPropertyOptions(r),i=typeof e.converter==`function`?{fromAttribute:e.converter}:e.converter?.fromAttribute===void 0?re:e.converter;this._$Em=r;let a=i.fromAttribute(t,e.type);this[r]=a??this._$Ej?.get(r)??a,this._$Em=null}}requestUpdate(e,t,n,r=!1,i){if(e!==void 0){let a=this.constructor;if(!1===r&&(i=this[e]),n??=a.getPropertyOptions(e),!((n.hasChanged??ie)(i,t)||n.useDefault&&n.reflect&&i===this._$Ej?.get(e)&&!this.hasAttribute(a._$Eu(e,n))))return;this.C(e,t,n)}!1===this.isUpdatePending&&(this._$ES=this._$EP())}C(e,t,{useDefault:n,reflect:r,wrapped:i},a){n&&!(this._$Ej??=new Map).has(e)&&(this._$Ej.set(e,a??t??this[e]),!0!==i||a!==void 0)||(this._$AL.has(e)||(this.hasUpdated||n||(t=void 0),this._$AL.set(e,t)),!0===r&&this._$Em!==e&&(this._$Eq??=new Set).add(e))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(e){Promise.reject(e)}let e=this.scheduleUpdate();return e!=null&&await e,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??=this.createRenderRoot(),this._$Ep){for(let[e,t]of this._$Ep)this[e]=t;this._$Ep=void 0}let e=this.constructor.elementProperties;if(e.size>0)for(let[t,n]of e){let{wrapped:e}=n,r=this[t];!0!==e||this._$AL.has(t)||r===void 0||this.C(t,void 0,n,r)}}let e=!1,t=this._$AL;try{e=this.shouldUpdate(t),e?(this.willUpdate(t),this._$EO?.forEach(e=>e.hostUpdate?.()),this.update(t)):this._$EM()}catch(t){throw e=!1,this._$EM(),t}e&&this._$AE(t)}willUpdate(e){}_$AE(e){this._$EO?.forEach(e=>e.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(e)),this.updated(e)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(e){return!0}update(e){this._$Eq&&=this._$Eq.forEach(e=>this._$ET(e,this[e])),this._$EM()}updated(e){}firstUpdated(e){}};_.elementStyles=[],_.shadowRootOptions={mode:`open`},_[g(`elementProperties`)]=new Map,_[g(`finalized`)]=new Map,ne?.({ReactiveElement:_}),(h.reactiveElementVersions??=[]).push(`2.1.2`);var oe=globalThis,se=e=>e,ce=oe.trustedTypes,le=ce?ce.createPolicy(`lit-html`,{createHTML:e=>e}):void 0,ue=`$lit$`,v=`lit$${Math.random().toFixed(9).slice(2)}$`,de=`?`+v,fe=`<${de}>`,y=document,b=()=>y.createComment(``),pe=e=>e===null||typeof e!=`object`&&typeof e!=`function`,me=Array.isArray,he=e=>me(e)||typeof e?.[Symbol.iterator]==`function`,ge=`[ 	
\f\r]`,_e=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,ve=/-->/g,ye=/>/g,x=RegExp(`>|${ge}(?:([^\\s"'>=/]+)(${ge}*=${ge}*(?:[^ \t\n\f\r"'\`<>=]|("|')|))|$)`,`g`),be=/'/g,xe=/"/g,Se=/^(?:script|style|textarea|title)$/i,Ce=e=>(t,...n)=>({_$litType$:e,strings:t,values:n}),S=Ce(1),C=Ce(2),w=Symbol.for(`lit-noChange`),T=Symbol.for(`lit-nothing`),we=new WeakMap,E=y.createTreeWalker(y,129);function Te(e,t){if(!me(e)||!e.hasOwnProperty(`raw`))throw Error(`invalid template strings array`);return le===void 0?t:le.createHTML(t)}var Ee=(e,t)=>{let n=e.length-1,r=[],i,a=t===2?`<svg>`:t===3?`<math>`:``,o=_e;for(let t=0;t<n;t++){let n=e[t],s,c,l=-1,u=0;for(;u<n.length&&(o.lastIndex=u,c=o.exec(n),c!==null);)u=o.lastIndex,o===_e?c[1]===`!--`?o=ve:c[1]===void 0?c[2]===void 0?c[3]!==void 0&&(o=x):(Se.test(c[2])&&(i=RegExp(`</`+c[2],`g`)),o=x):o=ye:o===x?c[0]===`>`?(o=i??_e,l=-1):c[1]===void 0?l=-2:(l=o.lastIndex-c[2].length,s=c[1],o=c[3]===void 0?x:c[3]===`"`?xe:be):o===xe||o===be?o=x:o===ve||o===ye?o=_e:(o=x,i=void 0);let d=o===x&&e[t+1].startsWith(`/>`)?` `:``;a+=o===_e?n+fe:l>=0?(r.push(s),n.slice(0,l)+ue+n.slice(l)+v+d):n+v+(l===-2?t:d)}return[Te(e,a+(e[n]||`<?>`)+(t===2?`</svg>`:t===3?`</math>`:``)),r]},De=class e{constructor({strings:t,_$litType$:n},r){let i;this.parts=[];let a=0,o=0,s=t.length-1,c=this.parts,[l,u]=Ee(t,n);if(this.el=e.createElement(l,r),E.currentNode=this.el.content,n===2||n===3){let e=this.el.content.firstChild;e.replaceWith(...e.childNodes)}for(;(i=E.nextNode())!==null&&c.length<s;){if(i.nodeType===1){if(i.hasAttributes())for(let e of i.getAttributeNames())if(e.endsWith(ue)){let t=u[o++],n=i.getAttribute(e).split(v),r=/([.?@])?(.*)/.exec(t);c.push({type:1,index:a,name:r[2],strings:n,ctor:r[1]===`.`?Ae:r[1]===`?`?je:r[1]===`@`?Me:O}),i.removeAttribute(e)}else e.startsWith(v)&&(c.push({type:6,index:a}),i.removeAttribute(e));if(Se.test(i.tagName)){let e=i.textContent.split(v),t=e.length-1;if(t>0){i.textContent=ce?ce.emptyScript:``;for(let n=0;n<t;n++)i.append(e[n],b()),E.nextNode(),c.push({type:2,index:++a});i.append(e[t],b())}}}else if(i.nodeType===8){if(i.data===de)c.push({type:2,index:a});else{let e=-1;for(;(e=i.data.indexOf(v,e+1))!==-1;)c.push({type:7,index:a}),e+=v.length-1}}a++}}static createElement(e,t){let n=y.createElement(`template`);return n.innerHTML=e,n}};function D(e,t,n=e,r){if(t===w)return t;let i=r===void 0?n._$Cl:n._$Co?.[r],a=pe(t)?void 0:t._$litDirective$;return i?.constructor!==a&&(i?._$AO?.(!1),a===void 0?i=void 0:(i=new a(e),i._$AT(e,n,r)),r===void 0?n._$Cl=i:(n._$Co??=[])[r]=i),i!==void 0&&(t=D(e,i._$AS(e,t.values),i,r)),t}var Oe=class{constructor(e,t){this._$AV=[],this._$AN=void 0,this._$AD=e,this._$AM=t}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(e){let{el:{content:t},parts:n}=this._$AD,r=(e?.creationScope??y).importNode(t,!0);E.currentNode=r;let i=E.nextNode(),a=0,o=0,s=n[0];for(;s!==void 0;){if(a===s.index){let t;s.type===2?t=new ke(i,i.nextSibling,this,e):s.type===1?t=new s.ctor(i,s.name,s.strings,this,e):s.type===6&&(t=new Ne(i,this,e)),this._$AV.push(t),s=n[++o]}a!==s?.index&&(i=E.nextNode(),a++)}return E.currentNode=y,r}p(e){let t=0;for(let n of this._$AV)n!==void 0&&(n.strings===void 0?n._$AI(e[t]):(n._$AI(e,n,t),t+=n.strings.length-2)),t++}},ke=class e{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(e,t,n,r){this.type=2,this._$AH=T,this._$AN=void 0,this._$AA=e,this._$AB=t,this._$AM=n,this.options=r,this._$Cv=r?.isConnected??!0}get parentNode(){let e=this._$AA.parentNode,t=this._$AM;return t!==void 0&&e?.nodeType===11&&(e=t.parentNode),e}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(e,t=this){e=D(this,e,t),pe(e)?e===T||e==null||e===``?(this._$AH!==T&&this._$AR(),this._$AH=T):e!==this._$AH&&e!==w&&this._(e):e._$litType$===void 0?e.nodeType===void 0?he(e)?this.k(e):this._(e):this.T(e):this.$(e)}O(e){return this._$AA.parentNode.insertBefore(e,this._$AB)}T(e){this._$AH!==e&&(this._$AR(),this._$AH=this.O(e))}_(e){this._$AH!==T&&pe(this._$AH)?this._$AA.nextSibling.data=e:this.T(y.createTextNode(e)),this._$AH=e}$(e){let{values:t,_$litType$:n}=e,r=typeof n==`number`?this._$AC(e):(n.el===void 0&&(n.el=De.createElement(Te(n.h,n.h[0]),this.options)),n);if(this._$AH?._$AD===r)this._$AH.p(t);else{let e=new Oe(r,this),n=e.u(this.options);e.p(t),this.T(n),this._$AH=e}}_$AC(e){let t=we.get(e.strings);return t===void 0&&we.set(e.strings,t=new De(e)),t}k(t){me(this._$AH)||(this._$AH=[],this._$AR());let n=this._$AH,r,i=0;for(let a of t)i===n.length?n.push(r=new e(this.O(b()),this.O(b()),this,this.options)):r=n[i],r._$AI(a),i++;i<n.length&&(this._$AR(r&&r._$AB.nextSibling,i),n.length=i)}_$AR(e=this._$AA.nextSibling,t){for(this._$AP?.(!1,!0,t);e!==this._$AB;){let t=se(e).nextSibling;se(e).remove(),e=t}}setConnected(e){this._$AM===void 0&&(this._$Cv=e,this._$AP?.(e))}},O=class{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(e,t,n,r,i){this.type=1,this._$AH=T,this._$AN=void 0,this.element=e,this.name=t,this._$AM=r,this.options=i,n.length>2||n[0]!==``||n[1]!==``?(this._$AH=Array(n.length-1).fill(new String),this.strings=n):this._$AH=T}_$AI(e,t=this,n,r){let i=this.strings,a=!1;if(i===void 0)e=D(this,e,t,0),a=!pe(e)||e!==this._$AH&&e!==w,a&&(this._$AH=e);else{let r=e,o,s;for(e=i[0],o=0;o<i.length-1;o++)s=D(this,r[n+o],t,o),s===w&&(s=this._$AH[o]),a||=!pe(s)||s!==this._$AH[o],s===T?e=T:e!==T&&(e+=(s??``)+i[o+1]),this._$AH[o]=s}a&&!r&&this.j(e)}j(e){e===T?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,e??``)}},Ae=class extends O{constructor(){super(...arguments),this.type=3}j(e){this.element[this.name]=e===T?void 0:e}},je=class extends O{constructor(){super(...arguments),this.type=4}j(e){this.element.toggleAttribute(this.name,!!e&&e!==T)}},Me=class extends O{constructor(e,t,n,r,i){super(e,t,n,r,i),this.type=5}_$AI(e,t=this){if((e=D(this,e,t,0)??T)===w)return;let n=this._$AH,r=e===T&&n!==T||e.capture!==n.capture||e.once!==n.once||e.passive!==n.passive,i=e!==T&&(n===T||r);r&&this.element.removeEventListener(this.name,this,n),i&&this.element.addEventListener(this.name,this,e),this._$AH=e}handleEvent(e){typeof this._$AH==`function`?this._$AH.call(this.options?.host??this.element,e):this._$AH.handleEvent(e)}},Ne=class{constructor(e,t,n){this.element=e,this.type=6,this._$AN=void 0,this._$AM=t,this.options=n}get _$AU(){return this._$AM._$AU}_$AI(e){D(this,e)}},Pe={M:ue,P:v,A:de,C:1,L:Ee,R:Oe,D:he,V:D,I:ke,H:O,N:je,U:Me,B:Ae,F:Ne},Fe=oe.litHtmlPolyfillSupport;Fe?.(De,ke),(oe.litHtmlVersions??=[]).push(`3.3.3`);var Ie=(e,t,n)=>{let r=n?.renderBefore??t,i=r._$litPart$;if(i===void 0){let e=n?.renderBefore??null;r._$litPart$=i=new ke(t.insertBefore(b(),e),e,void 0,n??{})}return i._$AI(e),i},Le=globalThis,k=class extends _{constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){let e=super.createRenderRoot();return this.renderOptions.renderBefore??=e.firstChild,e}update(e){let t=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(e),this._$Do=Ie(t,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return w}};k._$litElement$=!0,k.finalized=!0,Le.litElementHydrateSupport?.({LitElement:k});var Re=Le.litElementPolyfillSupport;Re?.({LitElement:k}),(Le.litElementVersions??=[]).push(`4.2.2`);var A=e=>(t,n)=>{n===void 0?customElements.define(e,t):n.addInitializer(()=>{customElements.define(e,t)})},ze={attribute:!0,type:String,converter:re,reflect:!1,hasChanged:ie},Be=(e=ze,t,n)=>{let{kind:r,metadata:i}=n,a=globalThis.litPropertyMetadata.get(i);if(a===void 0&&globalThis.litPropertyMetadata.set(i,a=new Map),r===`setter`&&((e=Object.create(e)).wrapped=!0),a.set(n.name,e),r===`accessor`){let{name:r}=n;return{set(n){let i=t.get.call(this);t.set.call(this,n),this.requestUpdate(r,i,e,!0,n)},init(t){return t!==void 0&&this.C(r,void 0,e,t),t}}}if(r===`setter`){let{name:r}=n;return function(n){let i=this[r];t.call(this,n),this.requestUpdate(r,i,e,!0,n)}}throw Error(`Unsupported decorator location: `+r)};function j(e){return(t,n)=>typeof n==`object`?Be(e,t,n):((e,t,n)=>{let r=t.hasOwnProperty(n);return t.constructor.createProperty(n,e),r?Object.getOwnPropertyDescriptor(t,n):void 0})(e,t,n)}function M(e){return j({...e,state:!0,attribute:!1})}var Ve=(e,t,n)=>(n.configurable=!0,n.enumerable=!0,Reflect.decorate&&typeof t!=`object`&&Object.defineProperty(e,t,n),n);function N(e,t){return(n,r,i)=>{let a=t=>t.renderRoot?.querySelector(e)??null;if(t){let{get:e,set:t}=typeof r==`object`?n:i??(()=>{let e=Symbol();return{get(){return this[e]},set(t){this[e]=t}}})();return Ve(n,r,{get(){let n=e.call(this);return n===void 0&&(n=a(this),(n!==null||this.hasUpdated)&&t.call(this,n)),n}})}return Ve(n,r,{get(){return a(this)}})}}var P=[`emergency`,`alert`,`critical`,`error`,`warning`,`success`,`informational`,`debug`],He=[`severity`,`category`,`action`],Ue=[`status`,`ownerKind`,`operationId`,`from`,`to`,`search`];function We(e){let t=new URLSearchParams;for(let n of He){let r=e[n];r?.length&&t.set(n,JSON.stringify(r))}for(let n of Ue){let r=e[n];r&&t.set(n,r)}return t}function Ge(e){let t={};for(let n of He){let r=$e(e.get(n)),i=n===`severity`?r.filter(Qe):r;i.length&&(t[n]=i)}for(let n of Ue){let r=e.get(n);r&&et(n,r)&&(t[n]=r)}return t}function Ke(e){let{severity:t,category:n,action:r,...i}=e;return{...i,...t?.length?{severity:[...t]}:{},...n?.length?{category:[...n]}:{},...r?.length?{action:[...r]}:{}}}function qe(e){return We(e).size===0}function Je(e,t){let{severity:n,status:r,category:i,action:a,ownerKind:o,operationId:s,from:c,to:l,search:u}=e;return Xe(n,t.severity)&&Xe(i,t.category)&&Xe(a,t.action)&&(!r||t.status===r)&&(!o||Ye(t)===o)&&(!s||t.operationId===s)&&(!c||Date.parse(t.createdAt)>=Date.parse(c))&&(!l||Date.parse(t.createdAt)<Date.parse(l))&&(!u||Ze(t.description).includes(Ze(u)))}function Ye(e){return!e.owner||e.owner===e.systemId?`system`:`user`}function Xe(e,t){return!e?.length||e.includes(t)}function Ze(e){return e.toUpperCase().toLowerCase()}function Qe(e){return P.includes(e)}function $e(e){try{let t=JSON.parse(e??`[]`);return Array.isArray(t)?t.filter(e=>typeof e==`string`):[]}catch{return[]}}function et(e,t){switch(e){case`status`:return t===`read`||t===`unread`;case`ownerKind`:return t===`user`||t===`system`;case`operationId`:return/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(t);case`from`:case`to`:return!Number.isNaN(Date.parse(t))&&/T.*(Z|[+-]\d\d:\d\d)$/i.test(t);case`search`:return new TextEncoder().encode(t).length<=256}}async function tt(e,t){if(!e.getToken)return{...t,credentials:`same-origin`};let n=await e.getToken(),r=new Headers(t.headers);return n&&r.set(`authorization`,`Bearer ${n}`),{...t,headers:r,credentials:`omit`}}var F=class extends Error{constructor(e,t,n,r=[]){super(e),this.name=`ApiError`,this.status=t,this.code=n,this.remedies=r}get isSignedOut(){return this.status===401}};async function nt(e){let t;try{t=await e.json()}catch{t={}}return new F(t.error??`${e.status} ${e.statusText}`,e.status,t.code??`unreadable`,t.suggestedRemediation??[])}var I=`/api/system/events`,rt=`/api/events/status`,it=`/api/events/delete`,at=1e4,ot=class{constructor(e){this.access=e}async list(e,t){let n=We(e);return n.set(`sort`,`created_at`),n.set(`order`,`desc`),n.set(`pagesize`,String(t.size)),t.next&&(n.set(`next`,t.next),n.set(`count`,`none`)),await(await this.#n(`${I}?${n}`,{signal:t.signal??null})).json()}async get(e){return await(await this.#n(`${I}/${encodeURIComponent(e)}`,{})).json()}async summary(){return await(await this.#n(`${I}/summary`,{})).json()}async types(){return await(await this.#n(`${I}/types`,{})).json()}async publish(e){await this.#t(`POST`,I,e)}async mark(e,t){return this.#e(e,e=>this.#t(`PUT`,rt,{...e,status:t}))}async remove(e,t=!1){return this.#e(e,e=>this.#t(`POST`,it,e,t))}async signIn(e){await this.#n(`/session`,{method:`POST`,headers:{authorization:`Bearer ${e}`}})}async signOut(){await this.#n(`/session`,{method:`DELETE`})}async#e(e,t){let n=[];if(`ids`in e)for(let t=0;t<e.ids.length;t+=at)n.push({ids:e.ids.slice(t,t+at)});else n.push(e);let r=0;for(let e of n){let n=await t(e);r+=(await n.json()).count}return r}async#t(e,t,n,r=!1){return this.#n(t,{method:e,body:JSON.stringify(n),headers:{"content-type":`application/json`},keepalive:r})}async#n(e,t){let n=new Headers(t.headers).has(`authorization`)?{...t,credentials:`same-origin`}:await tt(this.access,t),r;try{r=await fetch(this.access.server+e,n)}catch(e){throw e instanceof DOMException&&e.name===`AbortError`?e:new F(`The server cannot be reached`,0,`unreachable`)}if(!r.ok)throw await nt(r);return r}},st=1e3,ct=3e4,[lt,ut]=[100,3e5],dt=class{#e=st;#t=0;#n;constructor(e=Math.random){this.#n=e}name(e){this.#e=Math.min(Math.max(e,lt),ut)}succeeded(){this.#t=0}next(){let e=this.#e*2**Math.min(this.#t,16);return this.#t+=1,this.#n()*Math.max(Math.min(e,ct),this.#e)}};function ft(e){return Object.values(e).reduce((e,t)=>e+t,0)}var pt=class{#e;#t=!1;get counts(){return this.#e}get summary(){return this.#t&&this.#e?{unread:{...this.#e.unread},read:{...this.#e.read}}:void 0}take(e){switch(e.kind){case`ready`:case`reset`:return this.#t=!1,!1;case`live`:return this.#t=!0,this.#e={unread:e.summary.unread,read:e.summary.read},!0;case`event`:return this.#n({[e.event.status]:{[e.event.severity]:1}});case`status`:case`deleted`:return this.#n(e.change);default:return!1}}#n(e){return!this.#t||!this.#e?!1:(this.#e={unread:mt(this.#e,e,`unread`),read:mt(this.#e,e,`read`)},!0)}};function mt(e,t,n){let r={...e[n]};for(let[e,i]of Object.entries(t[n]??{})){let t=(r[e]??0)+i;t>0?r[e]=t:Reflect.deleteProperty(r,e)}return r}var ht=class{#e=``;#t=!1;#n=``;#r=``;#i=[];*read(e){let t=this.#e+e;e&&(this.#t&&t.startsWith(`
`)&&(t=t.slice(1)),this.#t=e.endsWith(`\r`));let n=t.split(/\r\n|\r|\n/);this.#e=n.pop()??``;for(let e of n){let t=this.#a(e);t&&(yield t)}}#a(e){if(e===``)return this.#o();let t=e.indexOf(`:`),n=t<0?e:e.slice(0,t),r=t<0?``:e.slice(t+1).replace(/^ /,``);switch(n){case`id`:this.#n=r;return;case`event`:this.#r=r;return;case`data`:this.#i.push(r);return;case`retry`:return/^\d+$/.test(r)?{kind:`retry`,delay:Number(r)}:void 0;default:return}}#o(){let[e,t]=[this.#r,this.#i.join(`
`)],n=this.#i.length===0;if(this.#r=``,this.#i=[],!n)return{kind:`frame`,frame:gt(e,this.#n,t)}}};function gt(e,t,n){let r;try{r=JSON.parse(n)}catch{return{kind:`unknown`,cursor:t}}switch(e){case``:return{kind:`event`,cursor:t,event:r};case`ready`:return{kind:`ready`,cursor:t};case`live`:return{kind:`live`,cursor:t,summary:r.summary};case`status`:return{kind:`status`,cursor:t,change:r};case`deleted`:return{kind:`deleted`,cursor:t,change:r};case`reset`:return{kind:`reset`,cursor:t,reason:r.reason};case`expiring`:return{kind:`expiring`,cursor:t,at:r.at};default:return{kind:`unknown`,cursor:t}}}var _t=45e3;async function vt(e,t,n,r,i={}){let a=i.backoff??new dt,o=new xt(e,n,a,i.silence??_t);for(o.cursor=t;!r.aborted;){n.state(`connecting`);let e=await o.run(r);if(e===`aborted`)return;if(e instanceof F&&!yt(e)){n.state(e.isSignedOut?`signed-out`:`refused`,e);return}e!==`expired`&&(n.state(`waiting`),await bt(a.next(),r))}}function yt(e){return e.status===0||e.status===408||e.status===429||e.status>=500}async function bt(e,t){await new Promise(n=>{let r=()=>{clearTimeout(i),removeEventListener(`online`,r),t.removeEventListener(`abort`,r),n()},i=setTimeout(r,e);addEventListener(`online`,r),t.addEventListener(`abort`,r)})}var xt=class{#e;#t;#n;#r;constructor(e,t,n,r){this.cursor=``,this.#e=e,this.#t=t,this.#n=n,this.#r=r}async run(e){let t=new AbortController,n=()=>{t.abort()};e.addEventListener(`abort`,n);let r=setTimeout(n,this.#r),i=()=>{clearTimeout(r),r=setTimeout(n,this.#r)};try{let n=await tt(this.#e,{headers:{accept:`text/event-stream`,"last-event-id":this.cursor},cache:`no-store`,signal:t.signal}),r=await fetch(`${this.#e.server}/api/system/events/subscribe`,n);return i(),r.ok?!r.body||!r.headers.get(`content-type`)?.startsWith(`text/event-stream`)?new F(`The answer is no event stream`,r.status,`unreadable`):await this.#i(r.body,i,e):await nt(r)}catch{return e.aborted?`aborted`:`lost`}finally{clearTimeout(r),e.removeEventListener(`abort`,n),t.abort()}}async#i(e,t,n){let r=new ht,i=new TextDecoder,a=e.getReader(),o=!1;for(;;){let{done:e,value:s}=await a.read();if(e)return o?`expired`:`lost`;t();for(let e of r.read(i.decode(s,{stream:!0}))){if(n.aborted)return`aborted`;if(e.kind===`retry`){this.#n.name(e.delay);continue}let{frame:t}=e;this.#n.succeeded(),o=t.kind===`expiring`,this.#t.frame(t),this.cursor=t.cursor,t.kind===`live`&&this.#t.state(`live`)}}}},St={get locks(){return navigator.locks},channel:e=>new BroadcastChannel(e),isVisible:()=>document.visibilityState===`visible`},Ct=1,wt=1500,Tt=5e3,Et=1e3,Dt=1e3,Ot=class{#e;#t;#n;#r;#i;constructor(e,t,n={}){this.#e=e,this.#t=t,this.#n=n.environment??St,this.#r=n.backoff}start(e,t=!1){this.#i?.end();let{locks:n}=this.#n,r={access:this.#e,listener:this.#t,cursor:e,...this.#r?{backoff:this.#r}:{}};this.#i=n?new At(r,n,this.#n,t):new kt(r)}stop(){this.#i?.end(),this.#i=void 0}},kt=class{#e=new AbortController;constructor({access:e,listener:t,cursor:n,backoff:r}){vt(e,n,{frame(e){t.frame(e),e.kind===`reset`&&t.gap()},state:(e,n)=>t.state(e,n)},this.#e.signal,r?{backoff:r}:{})}end(){this.#e.abort()}},At=class{#e;#t;#n;#r;#i;#a=crypto.randomUUID();#o=new AbortController;#s;#c;#l=new pt;#u=`connecting`;#d;#f=[];#p=!1;#m=Date.now();#h;constructor(e,t,n,r){this.#e=e,this.#t=t,this.#n=n,this.#c=e.cursor,this.#r=`tidings:${Ct}:${e.access.server}:${jt(e.cursor)}`,this.#i=n.channel(this.#r),this.#i.onmessage=({data:e})=>this.#S(e),this.#s=setInterval(()=>this.#E(),wt),this.#g(r),this.#O({kind:`hello`,tab:this.#a,cursor:this.#c})}end(){this.#o.abort(),clearInterval(this.#s),this.#h?.abort(),this.#d?.abort(),this.#i.close()}#g(e){let t=new AbortController;this.#h?.abort(),this.#h=t;let n=e?{steal:e}:{signal:t.signal},r=this.#t.request(this.#r,n,async()=>{this.#o.signal.aborted||await this.#_()});Promise.resolve(r).catch(()=>{!this.#o.signal.aborted&&this.#h===t&&!t.signal.aborted&&this.#v()})}async#_(){let e=new AbortController;this.#d=e,this.#p=!0;let{access:t,backoff:n}=this.#e,r={frame:e=>this.#y(e),state:(e,t)=>{this.#x(e,t),this.#D()}},i=n?{backoff:n}:{};await vt(t,this.#c,r,e.signal,i),await new Promise(t=>{e.signal.aborted&&t(),e.signal.addEventListener(`abort`,()=>t())})}#v(){this.#d?.abort(),this.#d=void 0,this.#p=!1,this.#f=[],this.#m=Date.now(),this.#g(!1),this.#O({kind:`hello`,tab:this.#a,cursor:this.#c})}#y(e){let t={from:this.#c,frame:e};this.#f.push(t),this.#f.length>Et&&this.#f.shift(),this.#O({kind:`step`,...t}),this.#b(e)}#b(e){this.#c=e.cursor,this.#l.take(e),this.#e.listener.frame(e),e.kind===`reset`&&this.#e.listener.gap()}#x(e,t){(e!==this.#u||t)&&(this.#u=e,this.#e.listener.state(e,t))}#S(e){if(e.kind===`hello`)this.#d&&this.#C(e.tab,e.cursor,Date.now()+Dt);else if(!this.#d)switch(this.#m=Date.now(),e.kind){case`welcome`:e.tab===this.#a&&this.#w(e);break;case`step`:this.#p&&this.#T(e);break;case`alive`:this.#p?this.#x(e.state):this.#O({kind:`hello`,tab:this.#a,cursor:this.#c})}}#C(e,t,n){let r=this.#f.findLastIndex(e=>e.frame.cursor===t),i=t===this.#c;if(!i&&r<0&&Date.now()<n){setTimeout(()=>{this.#d&&this.#C(e,t,n)},Dt/10);return}let a=i?[]:r<0?null:this.#f.slice(r+1),o=this.#l.summary??null;this.#O({kind:`welcome`,tab:e,steps:a,summary:o,state:this.#u})}#w(e){if(!this.#p){if(!e.steps)this.#e.listener.gap();else{this.#p=!0;for(let{frame:t}of e.steps)this.#b(t);e.summary&&this.#b({kind:`live`,cursor:this.#c,summary:e.summary}),this.#x(e.state)}}}#T({from:e,frame:t}){e===this.#c?this.#b(t):(this.#p=!1,this.#e.listener.gap())}#E(){this.#d?this.#D():this.#n.isVisible()&&Date.now()-this.#m>Tt&&(this.#m=Date.now(),this.#g(!0))}#D(){this.#O({kind:`alive`,leader:this.#a,state:this.#u})}#O(e){this.#o.signal.aborted||this.#i.postMessage(e)}};function jt(e){return e.slice(e.lastIndexOf(`-`)+1)}var Mt=class{#e;#t;#n;#r;#i;#a;#o;#s;#c;constructor(e,t={}){this.#t=new Set,this.#n=new pt,this.#r=`connecting`,this.reloads=0,this.client=new ot(e);let n={frame:e=>this.#f(e),state:(e,t)=>this.#p(e,t),gap:()=>void this.#d()};this.#e=new Ot(e,n,t)}get counts(){return this.#c}get state(){return this.#r}get error(){return this.#i}get cursor(){return this.#a}listen(e){return this.#t.add(e),()=>{this.#t.delete(e),this.#t.size===0&&(this.#e.stop(),this.#o=void 0)}}async ask(e){let t=this.#o;if(t&&(await t.catch(()=>void 0),this.#a!==void 0))return this.#l(e);let n=this.#l(e).then(e=>(this.#u(e.cursor),e));this.#o=n;try{return await n}catch(e){throw this.#o===n&&(this.#o=void 0),e}}async open(){await new Promise(e=>setTimeout(e)),this.#o?await this.#o:await this.ask(()=>this.client.summary())}async restart(){this.#e.stop(),this.#a=void 0,this.#o=void 0,this.#n=new pt,this.#c=void 0,this.#p(`connecting`),await this.#d(!0)}async#l(e){try{return await e()}catch(e){throw e instanceof F&&e.isSignedOut?this.#p(`signed-out`,e):e instanceof F&&e.code===`unreachable`&&this.#p(`waiting`,e),e}}#u(e,t=!1){this.#a=e,this.#e.start(e,t)}async#d(e=!1){let t=new dt;for(;;){try{let t=await this.#l(()=>this.client.summary());this.#c={unread:t.unread,read:t.read},this.#u(t.cursor,e),this.#o=Promise.resolve(),this.reloads+=1;for(let e of this.#t)e.reload?.();this.#m();return}catch(e){if(!(e instanceof F)||e.status>=400&&e.status<500||this.#t.size===0)return}await new Promise(e=>setTimeout(e,t.next()))}}#f(e){this.#a=e.cursor;let t=this.#n.take(e);t&&(this.#c=this.#n.counts);for(let t of this.#t)t.frame?.(e);t&&this.#m()}#p(e,t){this.#r=e,this.#i=t,this.#m()}#m(){this.#s??=setTimeout(()=>{this.#s=void 0;for(let e of this.#t)e.changed?.()})}};function Nt(e){let{origin:t,pathname:n}=new URL(e===``?`/`:e,location.href);return(t+n).replace(/\/+$/,``)}var Pt=new Map;function Ft(e,t){let n=Nt(e),r=Pt.get(n)??[];Pt.set(n,r);let i=r.find(e=>e.getToken===t);return i||(i={getToken:t,session:new Mt({server:n,getToken:t})},r.push(i)),i.session}var It=`tidings:settings`,Lt={readOnOpen:!0,toasts:[],desktop:[]},Rt=P.slice(0,5);function zt(){try{let e=JSON.parse(localStorage.getItem(It)??`{}`);return{readOnOpen:e.readOnOpen!==!1,toasts:Vt(e.toasts),desktop:Vt(e.desktop)}}catch{return Lt}}function Bt(e){try{localStorage.setItem(It,JSON.stringify(e))}catch{}}function Vt(e){return Array.isArray(e)?e.filter(e=>typeof e==`string`&&Qe(e)):[]}function Ht(){return typeof Notification<`u`&&Notification.permission!==`denied`}async function Ut(){return Ht()?await Notification.requestPermission()===`granted`:!1}function Wt(e,t,n,r){if(typeof Notification>`u`||Notification.permission!==`granted`)return;let i=new Notification(e,{body:t,tag:`tidings:${n}`});i.onclick=()=>{window.focus(),i.close(),r()}}var Gt=1e4;async function Kt(e,t=qt()){return!t||new Promise(n=>{t.request(`tidings:told:${e}`,{ifAvailable:!0},async e=>{n(e!==null),e&&await new Promise(e=>setTimeout(e,Gt))})})}function qt(){return navigator.locks}var Jt=class{#e;#t=!1;constructor(e){this.#e=e}take(e){switch(e.kind){case`ready`:case`reset`:this.#t=!1;return;case`live`:this.#t=!0;return;case`event`:this.#t&&e.event.status===`unread`&&this.#n(e.event);return}}async#n(e){let{toasts:t,desktop:n}=zt();document.visibilityState===`visible`?t.includes(e.severity)&&await Kt(e.id)&&this.#e.toast(e):n.includes(e.severity)&&(await new Promise(e=>setTimeout(e,500)),await Kt(e.id)&&this.#e.desktop(e))}},L=e=>String(e).replace(/\B(?=(\d{3})+$)/g,`,`),Yt=(e,t,n)=>`${L(e)} ${e===1?t:n}`,Xt=e=>Yt(e,`event`,`events`),R={locale:`en`,title:`Notifications`,number:L,severity:{emergency:`Emergency`,alert:`Alert`,critical:`Critical`,error:`Error`,warning:`Warning`,success:`Success`,informational:`Info`,debug:`Debug`},time:{now:`now`,seconds:e=>`${e} sec. ago`,minutes:e=>`${e} min. ago`,hours:e=>`${e} hr. ago`,days:e=>e===1?`yesterday`:`${e} days ago`,soon:`soon`},bell:{label:e=>e===0?`Notifications`:`Notifications, ${L(e)} unread`,more:`99+`,close:`Close notifications`},state:{connecting:`Connecting…`,live:`Live`,waiting:`Connection lost, reconnecting…`,offline:`You are offline`,"signed-out":`Signed out`,refused:`The server refuses the live stream`,reloaded:`Changes were missed, so the list was loaded anew`},list:{label:`Notifications, the newest first`,loading:`Loading…`,nothing:`Nothing here yet`,nothingHint:`What the server does for you will be here, the moment it happens.`,noMatch:`Nothing matches`,clearFilters:`Clear all filters`,failed:`The list could not be loaded`,again:`Try again`,held:e=>`${L(e)} new`,arrived:e=>Yt(e,`new notification`,`new notifications`),total:e=>Xt(e),unread:e=>`${L(e)} unread`,end:`That is all`},row:{unread:`Unread`,system:`System`,you:`You`,noDescription:`No description`,select:e=>`Select: ${e}`,markRead:`Mark as read`,markUnread:`Mark as unread`,remove:`Delete`,older:e=>Yt(e,`earlier step`,`earlier steps`),hideOlder:`Hide earlier steps`,onlyOperation:`Show only this operation`},detail:{loading:`Loading the details…`,whatHappened:`What happened`,probableCause:`Probable cause`,remedy:`What to do next`,more:`More details`,code:`Error code`,documentation:`Documentation`,metadata:`Details`,copy:`Copy as JSON`,copied:`Copied`,copyFailed:`The browser does not allow copying`,permalink:`Link to this event`,facts:`Facts`,id:`Event`,operation:`Operation`,actedUpon:`Resource`,created:`Created`,status:`Status`,read:`Read`,unread:`Unread`,nothing:`nothing`,truncated:e=>`and ${L(e)} more`,download:e=>`Save ${e} as a file`},filter:{search:`Search descriptions`,severities:`Severities, with how many are unread`,status:`Status`,anyStatus:`Read and unread`,unread:`Unread`,read:`Read`,more:`Filters`,category:`Category`,action:`Action`,source:`Source`,anySource:`Everybody`,user:`You`,system:`System`,time:`Time`,anyTime:`Any time`,lastHour:`Last hour`,lastDay:`Last 24 hours`,lastWeek:`Last 7 days`,since:e=>`Since ${e}`,until:e=>`Until ${e}`,operation:`One operation`,remove:e=>`Remove the filter ${e}`,any:`Any`,active:`Active filters`},choice:{count:e=>`${L(e)} selected`,all:e=>`All ${L(e)} that match are selected`,selectAll:e=>`Select all ${L(e)} that match`,clear:`Clear the selection`},work:{names:{read:`Marking as read`,unread:`Marking as unread`,delete:`Deleting`},progress:(e,t,n)=>`${e}: ${L(t)} of ${L(n)}`},notice:{deleted:e=>`${Xt(e)} deleted`,undo:`Undo`,dismiss:`Dismiss`},settings:{open:`Settings`,title:`Notification settings`,readOnOpen:`Mark an event as read when I open it`,toasts:`Show a pop-up in the page for`,desktop:`Tell my desktop, while I look elsewhere, of`,urgent:`Warnings and errors`,severities:`Severities`,denied:`The browser does not allow it. Allow notifications for this page first.`,close:`Done`},toasts:{label:`New notifications`,open:`Open`,dismiss:`Dismiss`},help:{open:`Keyboard shortcuts`,title:`Keyboard shortcuts`,close:`Close`,keys:[[`j, ↓`,`Next`],[`k, ↑`,`Previous`],[`Enter, o`,`Open or close`],[`e`,`Mark as read or unread`],[`#, Delete`,`Delete`],[`x`,`Select`],[`Shift+x`,`Select up to here`],[`*`,`Select all that match`],[`z`,`Undo a deletion`],[`t`,`Show or hide the earlier steps`],[`/`,`Search`],[`n`,`Show what is new`],[`?`,`This help`],[`Esc`,`Close, or clear the selection`]]},welcome:{title:`Send your first event`,lead:`This inbox is empty. An event tells a user what the server is doing for them: who did what, to which resource, how it went, and what to do next. It will appear here the moment it is committed.`,command:`With the command`,curl:`With curl`,rust:`From Rust`,send:`Send me one`,sent:`On its way…`,example:`My first event: the connection to the cluster works`,copy:`Copy`},signIn:{title:`Sign in`,lead:`This server needs a token, which says who you are. It is exchanged for a cookie that scripts cannot read.`,token:`Token`,submit:`Sign in`,out:`Sign out`,hint:`On a development server, make one with:`,again:`Your session has ended. Sign in again to go on; nothing is missed.`}},z=e=>S`<svg viewBox="0 0 24 24" aria-hidden="true">${e}</svg>`,Zt={emergency:C`<path d="M7 18v-6a5 5 0 0 1 10 0v6M5 21h14M12 3V1M4.5 6 3 4.5M19.5 6 21 4.5"/><path d="M12 11v4"/>`,alert:C`<path d="M8 2h8l6 6v8l-6 6H8l-6-6V8z"/><path d="M12 7v6M12 17h.01"/>`,critical:C`<path d="M8 2h8l6 6v8l-6 6H8l-6-6V8z"/><path d="m9 9 6 6M15 9l-6 6"/>`,error:C`<circle cx="12" cy="12" r="10"/><path d="m9 9 6 6M15 9l-6 6"/>`,warning:C`<path d="M12 3 1.8 20.5h20.4z"/><path d="M12 10v4M12 17.5h.01"/>`,success:C`<circle cx="12" cy="12" r="10"/><path d="m7.5 12.5 3 3 6-6.5"/>`,informational:C`<circle cx="12" cy="12" r="10"/><path d="M12 11v6M12 7h.01"/>`,debug:C`<rect x="3" y="4" width="18" height="16" rx="2"/><path d="m7 9 3 3-3 3M13 15h4"/>`},Qt=e=>z(Zt[e]??Zt.debug),$t=()=>z(C`<path d="M6 9a6 6 0 0 1 12 0c0 6 2.5 7.5 2.5 7.5h-17S6 15 6 9M10 20a2.2 2.2 0 0 0 4 0"/>`),en=()=>z(C`<path d="m6 6 12 12M18 6 6 18"/>`),tn=()=>z(C`<circle cx="11" cy="11" r="7"/><path d="m21 21-4.9-4.9"/>`),nn=()=>z(C`<path d="M3 5h18M6 12h12M10 19h4"/>`),rn=()=>z(C`<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>`),an=()=>z(C`<rect x="2" y="5" width="20" height="14" rx="2"/><path d="M6 9h.01M10 9h.01M14 9h.01M18 9h.01M8 15h8"/>`),on=()=>z(C`<path d="M3 9.5 12 4l9 5.5V20H3zM3 9.5l9 6 9-6"/>`),sn=()=>z(C`<rect x="3" y="5" width="18" height="14" rx="2"/><path d="m3 7 9 6 9-6"/>`),cn=()=>z(C`<path d="M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5"/>`),ln=()=>z(C`<path d="m9 6 6 6-6 6"/>`),un=()=>z(C`<path d="M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7L12 17"/>`),dn=()=>z(C`<rect x="9" y="9" width="11" height="11" rx="2"/><path d="M5 15H4V4h11v1"/>`),fn=class{#e=new Set;#t;#n=!1;get isEmpty(){return!this.#n&&this.#e.size===0}get isAll(){return this.#n}get ids(){return[...this.#e]}has(e){return this.#n||this.#e.has(e)}toggle(e){this.#r(),this.#e.delete(e)||this.#e.add(e),this.#t=e}extend(e,t){this.#r();let[n,r]=[t.indexOf(this.#t??e),t.indexOf(e)],i=n<0?r:n;for(let e of t.slice(Math.min(i,r),Math.max(i,r)+1))this.#e.add(e);this.#t??=e}selectAll(){this.#e.clear(),this.#n=!0}clear(){this.#e.clear(),this.#t=void 0,this.#n=!1}forget(e){for(let t of e)this.#e.delete(t)}#r(){this.#n&&this.clear()}};function pn(e,t){let n=new Map,r=[];for(let t of e){let e=n.get(t.operationId);e?e.push(t):(n.set(t.operationId,[]),r.push(t))}let i=[];for(let e of r){let r=n.get(e.operationId)??[];i.push({event:e,older:r.length,isOlder:!1}),t.has(e.operationId)&&i.push(...r.map(e=>({event:e,older:0,isOlder:!0})))}return i}var mn=8e3,hn=class{#e;#t;#n;#r;constructor(e,t,n=mn){this.#e=e,this.#t=t,this.#n=n}get waiting(){return this.#r?.removal}hides(e){return this.#r?.removal.hidden.has(e)??!1}add(e){this.flush(!1);let t=setTimeout(()=>this.flush(!1),this.#n);this.#r={removal:e,timer:t},this.#t()}undo(){clearTimeout(this.#r?.timer),this.#r=void 0,this.#t()}flush(e){let t=this.#r;t&&(clearTimeout(t.timer),this.#r=void 0,this.#e(t.removal,e),this.#t())}},gn=class{constructor(){this.#e={},this.#t=[],this.#n=new Map,this.#r=new Map,this.hasMore=!1}#e;#t;#n;#r;#i;get filter(){return this.#e}get events(){return this.#t}get held(){return this.#r.size}get total(){return this.#i}get(e){return this.#n.get(e)??this.#r.get(e)}begin(e,t,n){this.#e=e,this.#t=[...t],this.#n=new Map(t.map(e=>[e.id,e])),this.#r.clear(),this.#i=n}append(e){for(let t of e)this.#n.has(t.id)||(this.#n.set(t.id,t),this.#t.push(t)),this.#r.delete(t.id)}take(e,t){switch(e.kind){case`event`:return this.#a(e.event,t),!1;case`status`:return this.mark(e.change.ids,e.change.status,e.change.updatedAt);case`deleted`:return this.remove(e.change.ids),!1;default:return!1}}release(){let e=[...this.#r.values()];this.#r.clear();for(let t of e)this.#o(t)}mark(e,t,n){let r=!1;for(let i of e){let e=this.get(i);e?e.status!==t&&this.#s({...e,status:t,updatedAt:n}):r=!0}return r&&this.#e.status===t}remove(e){let t=new Set(e.filter(e=>this.#n.delete(e)));for(let t of e)this.#r.delete(t)&&this.#c(-1);t.size&&(this.#t=this.#t.filter(e=>!t.has(e.id)),this.#c(-t.size))}#a(e,t){if(this.#n.has(e.id)||this.#r.has(e.id)||!Je(this.#e,e))return;this.#c(1);let n=this.#t.at(-1);this.hasMore&&n&&_n(n,e)||(t?this.#r.set(e.id,e):this.#o(e))}#o(e){let t=0,n=this.#t.length,r=this.#t[0];if(r&&!_n(e,r))for(;t<n;){let r=t+n>>1,i=this.#t[r];i&&_n(i,e)?t=r+1:n=r}this.#t.splice(t,0,e),this.#n.set(e.id,e)}#s(e){if(this.#r.has(e.id)){this.#r.set(e.id,e);return}this.#n.set(e.id,e);let t=this.#t.findIndex(t=>t.id===e.id);this.#t[t]=e}#c(e){this.#i!==void 0&&(this.#i=Math.max(0,this.#i+e))}};function _n(e,t){let[n,r]=[vn(e.createdAt),vn(t.createdAt)];return n===r?e.id>t.id:n>r}function vn(e){let[t=``,n=``]=e.replace(/Z$/,``).split(`.`);return`${t}.${n.padEnd(9,`0`)}`}var yn=class{#e;#t;#n=Promise.resolve();#r;constructor(e,t){this.#e=e,this.#t=t}get job(){return this.#r}add(e,t,n){let r=async()=>{this.#r={name:e,count:t,done:0},this.#e();try{await n()}catch(e){this.#t(e instanceof F?e:new F(String(e),0,`unreadable`))}finally{this.#r=void 0,this.#e()}};return this.#n=this.#n.then(r),this.#n}take(e){if(this.#r&&(e.kind===`status`||e.kind===`deleted`)){let t=Math.min(this.#r.done+e.change.ids.length,this.#r.count);this.#r={...this.#r,done:t},this.#e()}}},bn=100,xn=1e3,[Sn,Cn]=[16,120],wn=5e3,Tn=class{#e;#t;#n;#r;#i;#a;#o;#s;#c;#l;#u;#d;#f;constructor(e,t){this.choice=new fn,this.#e=new gn,this.#n=new Set,this.#i={},this.#a=`first`,this.#c=!0,this.#d=new AbortController,this.session=e,this.#t=t;let n=()=>this.#b(),r=e=>this.#v(e);this.removals=new hn((e,t)=>{this.#m(e,t)},()=>this.#y()),this.work=new yn(n,r)}get filter(){return this.#i}get loading(){return this.#a}get error(){return this.#o}get hasMore(){return this.#e.hasMore}get held(){return this.#e.held}get lines(){return this.#l??=pn(this.#e.events.filter(e=>!this.removals.hides(e.id)),this.#n),this.#l}get total(){let{counts:e}=this.session,{severity:t,status:n,...r}=this.#i;if(!e||!qe(r))return this.#e.total;let i=n?[n]:[`unread`,`read`],a=n=>t?.length?t.reduce((t,r)=>t+(e[n][r]??0),0):ft(e[n]);return i.reduce((e,t)=>e+a(t),0)}open(e){this.#r??=this.session.listen({frame:e=>this.#_(e),changed:()=>this.#b(),reload:()=>void this.#h()}),this.#i=e,this.#h()}close(){this.removals.flush(!0),this.#d.abort(),this.#r?.(),this.#r=void 0}show(e){this.#i=e,this.choice.clear(),this.#h(!1)}async more(){if(this.#a!==`idle`||!this.#s)return;this.#a=`more`,this.#b();let{signal:e}=this.#d;try{let t={next:this.#s,size:bn,signal:e},n=await this.session.client.list(this.#i,t);this.#s=n.next,this.#e.append(n.events),this.#e.hasMore=n.next!==void 0,this.#a=`idle`,this.#y()}catch(t){this.#g(t,e)}}async reload(){await this.#h()}set isAtTop(e){this.#c=e,e&&this.#e.held>0&&this.release()}release(){this.#e.release(),this.#u=this.session.cursor,this.#y()}toggleOperation(e){this.#n.delete(e)||this.#n.add(e),this.#y()}isOperationOpen(e){return this.#n.has(e)}async mark(e,t){let n=e.filter(e=>this.#e.get(e)?.status!==t);if(n.length!==0)try{await this.session.client.mark({ids:n},t),this.#e.mark(n,t,new Date().toISOString()),this.#y()}catch(e){this.#v(e)}}remove(e){e.length>0&&(this.choice.forget(e),this.removals.add({selection:{ids:e},count:e.length,hidden:new Set(e)}),this.#y())}async markChosen(e,t){let{selection:n,count:r}=this.#p();this.choice.clear(),await this.work.add(e,r,async()=>{await this.session.client.mark(n,t),`ids`in n?this.#e.mark(n.ids,t,new Date().toISOString()):await this.#h(),this.#y()})}removeChosen(){let{selection:e,count:t}=this.#p();this.choice.clear();let n=`ids`in e?e.ids:this.#e.events.map(({id:e})=>e);this.removals.add({selection:e,count:t,hidden:new Set(n)}),this.#y()}dismissError(){this.#o=void 0,this.#b()}#p(){if(this.choice.isAll&&this.#u)return{selection:{filter:Ke(this.#i),upTo:this.#u},count:this.total??this.#e.events.length};let{ids:e}=this.choice;return{selection:{ids:e},count:e.length}}async#m({selection:e,count:t},n){let r=async()=>{await this.session.client.remove(e,n),`ids`in e?this.#e.remove(e.ids):n||await this.#h(),this.#y()};n||t===1?await r().catch(e=>this.#v(e)):await this.work.add(`delete`,t,r)}async#h(e=!0){this.#d.abort(),this.#d=new AbortController;let{signal:t}=this.#d,n=e?this.#e.events.length:0,r=Math.min(Math.max(bn,n),xn),i=this.#i;this.#a=`first`,this.#b();try{let e=await this.session.ask(()=>this.session.client.list(i,{size:r,signal:t}));if(t.aborted)return;this.#e.begin(i,e.events,e.totalCount),this.#e.hasMore=e.next!==void 0,this.#s=e.next,this.#u=e.cursor,this.#a=`idle`,this.#o=void 0,this.#y()}catch(e){this.#g(e,t)}}#g(e,t){t.aborted||(this.#a=`failed`,this.#e.filter!==this.#i&&(this.#e.begin(this.#i,[],void 0),this.#s=void 0,this.#y()),this.#v(e))}#_(e){let t=this.#e.take(e,!this.#c);e.kind===`deleted`&&this.choice.forget(e.change.ids),this.#e.held===0&&(this.#u=e.cursor),this.work.take(e),this.#l=void 0,this.#b(),t&&this.#a===`idle`&&this.#h()}#v(e){this.#o=e instanceof F?e:new F(String(e),0,`unreadable`),this.#b()}#y(){this.#l=void 0,this.#b()}#b(){let e=this.#e.events.length>wn?Cn:Sn;this.#f??=setTimeout(()=>{this.#f=void 0,this.#t()},e)}};function En(){return S`<dialog id="help" aria-labelledby="help-title">
    <h2 id="help-title">${R.help.title}</h2>
    <dl class="keys">
      ${R.help.keys.map(([e,t])=>S`<div><dt>${e}</dt><dd>${t}</dd></div>`)}
    </dl>
    <form method="dialog">
      <button class="action primary">${R.help.close}</button>
    </form>
  </dialog>`}function Dn(e,t,n){let r=(r,i)=>S`<fieldset>
    <legend>${i}</legend>
    ${P.map(t=>S`<label
        ><input
          type="checkbox"
          .checked=${e[r].includes(t)}
          @change=${()=>n({...e,[r]:On(e[r],t)})}
        />${R.severity[t]}</label
      >`)}
    ${r===`desktop`&&t?S`<p role="alert">${R.settings.denied}</p>`:``}
  </fieldset>`;return S`<dialog id="settings" aria-labelledby="settings-title">
    <h2 id="settings-title">${R.settings.title}</h2>
    <label
      ><input
        type="checkbox"
        .checked=${e.readOnOpen}
        @change=${()=>n({...e,readOnOpen:!e.readOnOpen})}
      />${R.settings.readOnOpen}</label
    >
    ${r(`toasts`,R.settings.toasts)}
    ${r(`desktop`,R.settings.desktop)}
    <form method="dialog">
      <button class="action primary">${R.settings.close}</button>
    </form>
  </dialog>`}function On(e,t){let n=new Set(e);return n.delete(t)||n.add(t),P.filter(e=>n.has(e))}var kn=o`
  dialog form {
    margin-top: 1rem;
    text-align: end;
  }
  dialog label {
    display: flex;
    gap: 0.5rem;
    align-items: center;
    min-height: 1.75rem;
  }
  dialog fieldset {
    border: 1px solid var(--t-line);
    border-radius: 6px;
    margin: 0.75rem 0 0;
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr));
  }
  dialog fieldset p {
    grid-column: 1 / -1;
    margin: 0.25rem 0;
    color: var(--t-error);
  }
  .keys {
    margin: 0;
    display: grid;
    gap: 0.25rem;
  }
  .keys > div {
    display: grid;
    grid-template-columns: 8rem 1fr;
  }
  .keys dt {
    font-family: var(--t-mono);
    font-size: 0.8125rem;
  }
  .keys dd {
    margin: 0;
  }
`,B=o`
  :host {
    color-scheme: light dark;
    --t-font: var(--tidings-font, system-ui, -apple-system, "Segoe UI", sans-serif);
    --t-mono: var(--tidings-font-mono, ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace);
    --t-surface: var(--tidings-surface, light-dark(#ffffff, #16181d));
    --t-raised: var(--tidings-raised, light-dark(#f6f7f9, #1e2128));
    --t-hover: var(--tidings-hover, light-dark(#f0f2f6, #252933));
    --t-line: var(--tidings-line, light-dark(#e1e4ea, #2e333d));
    --t-edge: var(--tidings-edge, light-dark(#868e9c, #747d8d));
    --t-text: var(--tidings-text, light-dark(#1b1f27, #e8eaef));
    --t-muted: var(--tidings-muted, light-dark(#59616e, #a1a9b8));
    --t-accent: var(--tidings-accent, light-dark(#2457d6, #8db0ff));
    --t-on-accent: var(--tidings-on-accent, light-dark(#ffffff, #10131a));
    --t-radius: var(--tidings-radius, 8px);
    --t-shadow: 0 8px 28px light-dark(#1b1f2733, #0009);
    --t-emergency: light-dark(#a3004f, #ff8fc0);
    --t-alert: light-dark(#b0132b, #ff97a0);
    --t-critical: light-dark(#b0132b, #ff97a0);
    --t-error: light-dark(#bc1c1c, #ff9a91);
    --t-warning: light-dark(#8a5300, #f5be5b);
    --t-success: light-dark(#0f7038, #74d99b);
    --t-informational: light-dark(#1f5fbf, #8fbcff);
    --t-debug: light-dark(#59616e, #a1a9b8);
    font: 400 0.875rem/1.45 var(--t-font);
    color: var(--t-text);
  }
  :host([theme="light"]) {
    color-scheme: light;
  }
  :host([theme="dark"]) {
    color-scheme: dark;
  }
  :host([hidden]) {
    display: none;
  }
  * {
    box-sizing: border-box;
  }
  button,
  input,
  select {
    font: inherit;
    color: inherit;
  }
  button {
    cursor: pointer;
  }
  :focus-visible {
    outline: 2px solid var(--t-accent);
    outline-offset: 2px;
  }
  svg {
    display: block;
    width: 1.25em;
    height: 1.25em;
    fill: none;
    stroke: currentColor;
    stroke-width: 2;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .hidden-text {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .plain {
    border: 0;
    background: none;
    padding: 0.375rem;
    border-radius: 6px;
    color: var(--t-muted);
    min-width: 2rem;
    min-height: 2rem;
    display: inline-grid;
    place-items: center;
  }
  .plain:hover {
    background: var(--t-hover);
    color: var(--t-text);
  }
  .action {
    border: 1px solid var(--t-edge);
    background: var(--t-surface);
    border-radius: 6px;
    padding: 0.3125rem 0.75rem;
    min-height: 2rem;
  }
  .action:hover {
    background: var(--t-hover);
  }
  .primary {
    border-color: var(--t-accent);
    background: var(--t-accent);
    color: var(--t-on-accent);
    font-weight: 600;
  }
  .primary:hover {
    background: color-mix(in srgb, var(--t-accent) 88%, var(--t-text));
  }
  dialog {
    border: 1px solid var(--t-line);
    border-radius: var(--t-radius);
    background: var(--t-surface);
    color: inherit;
    box-shadow: var(--t-shadow);
    padding: 1.25rem;
    width: min(30rem, calc(100vw - 2rem));
    max-height: calc(100dvh - 2rem);
  }
  dialog::backdrop {
    background: #0006;
  }
  dialog h2 {
    margin: 0 0 0.75rem;
    font-size: 1.0625rem;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
      scroll-behavior: auto !important;
    }
  }
`,V=o`
  .emergency {
    --t-severity: var(--t-emergency);
  }
  .alert {
    --t-severity: var(--t-alert);
  }
  .critical {
    --t-severity: var(--t-critical);
  }
  .error {
    --t-severity: var(--t-error);
  }
  .warning {
    --t-severity: var(--t-warning);
  }
  .success {
    --t-severity: var(--t-success);
  }
  .informational {
    --t-severity: var(--t-informational);
  }
  .debug {
    --t-severity: var(--t-debug);
  }
`,[An,jn,Mn,Nn]=[60,3600,86400,604800],Pn=5;function Fn(e){let t;return()=>t??=e()}var In=e=>Fn(()=>new Intl.DateTimeFormat(R.locale,e)),Ln=In({dateStyle:`full`,timeStyle:`long`}),Rn=In({dateStyle:`medium`}),zn=In({dateStyle:`medium`,timeStyle:`short`});function Bn(e,t=Date.now()){let n=Date.parse(e);if(Number.isNaN(n))return e;let r=Math.round((t-n)/1e3);return r<-5?-r>Nn?Rn().format(n):R.time.soon:r<Pn?R.time.now:r<An?R.time.seconds(r):r<jn?R.time.minutes(Math.floor(r/An)):r<Mn?R.time.hours(Math.floor(r/jn)):r<Nn?R.time.days(Math.floor(r/Mn)):Rn().format(n)}function Vn(e){let t=Date.parse(e);return Number.isNaN(t)?e:Ln().format(t)}function Hn(e){let t=Date.parse(e);return Number.isNaN(t)?e:zn().format(t)}var Un=200;function H(e){return e.replaceAll(`_`,` `)}function U(e){let t=e.description.trim();if(t===``)return`${H(e.category)}: ${H(e.action)}`;let n=t.split(`
`,1)[0]??t;return n.length>Un?`${n.slice(0,Un)}…`:n}function Wn(e){return`${R.severity[e.severity]}: ${U(e)}`}function W(e,t,n,r){var i=arguments.length,a=i<3?t:r===null?r=Object.getOwnPropertyDescriptor(t,n):r,o;if(typeof Reflect==`object`&&typeof Reflect.decorate==`function`)a=Reflect.decorate(e,t,n,r);else for(var s=e.length-1;s>=0;s--)(o=e[s])&&(a=(i<3?o(a):i>3?o(t,n,a):o(t,n))||a);return i>3&&a&&Object.defineProperty(t,n,a),a}var Gn=250,Kn=36e5,qn=[[R.filter.lastHour,Kn],[R.filter.lastDay,24*Kn],[R.filter.lastWeek,168*Kn]],G=class extends k{constructor(...e){super(...e),this.filter={},this.loadTypes=()=>Promise.resolve({category:[],action:[]}),this.isOpen=!1,this.types={category:[],action:[]}}#e;static{this.styles=[B,V,o`
      :host {
        display: block;
        padding: 0 0.75rem 0.5rem;
      }
      .line {
        display: flex;
        gap: 0.5rem;
        align-items: center;
      }
      .search {
        flex: 1;
        min-width: 0;
        display: flex;
        align-items: center;
        gap: 0.375rem;
        border: 1px solid var(--t-edge);
        border-radius: 6px;
        padding-inline: 0.5rem;
        color: var(--t-muted);
        background: var(--t-surface);
      }
      .search:focus-within {
        outline: 2px solid var(--t-accent);
        outline-offset: 1px;
      }
      .search input {
        flex: 1;
        min-width: 0;
        border: 0;
        outline: 0;
        background: none;
        height: 2.125rem;
        color: var(--t-text);
      }
      .search input::placeholder {
        color: var(--t-muted);
      }
      .chips {
        display: flex;
        flex-wrap: wrap;
        gap: 0.375rem;
        margin: 0.5rem 0 0;
        padding: 0;
        border: 0;
      }
      .chip {
        display: inline-flex;
        align-items: center;
        gap: 0.3125rem;
        border: 1px solid var(--t-line);
        background: var(--t-surface);
        border-radius: 999px;
        padding: 0.125rem 0.625rem;
        min-height: 1.75rem;
        font-size: 0.8125rem;
      }
      .chip:hover {
        background: var(--t-hover);
      }
      .chip svg {
        width: 1em;
        height: 1em;
        color: var(--t-severity, currentColor);
      }
      .chip[aria-pressed="true"] {
        border-color: var(--t-accent);
        background: color-mix(in srgb, var(--t-accent) 14%, var(--t-surface));
        font-weight: 600;
      }
      .chip b {
        font-variant-numeric: tabular-nums;
        font-weight: 650;
      }
      .fields {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr));
        gap: 0.5rem 0.75rem;
        margin-top: 0.625rem;
        padding: 0.75rem;
        background: var(--t-raised);
        border: 1px solid var(--t-line);
        border-radius: var(--t-radius);
      }
      .fields label {
        display: grid;
        gap: 0.1875rem;
        font-size: 0.8125rem;
        color: var(--t-muted);
      }
      select {
        color: var(--t-text);
        background: var(--t-surface);
        border: 1px solid var(--t-edge);
        border-radius: 6px;
        min-height: 2rem;
        padding-inline: 0.375rem;
        min-width: 0;
      }
    `]}focusSearch(){this.searchField.focus(),this.searchField.select()}updated(e){e.has(`filter`)&&this.renderRoot.querySelector(`:focus`)!==this.searchField&&(this.searchField.value=this.filter.search??``)}render(){return S`
      <div class="line" role="search">
        <label class="search">
          ${tn()}
          <span class="hidden-text">${R.filter.search}</span>
          <input
            type="search"
            placeholder=${R.filter.search}
            autocomplete="off"
            maxlength="80"
            @input=${()=>this.#o()}
            @keydown=${e=>this.#c(e)}
          />
        </label>
        <button
          class="action"
          aria-expanded=${this.isOpen?`true`:`false`}
          aria-controls="fields"
          title=${R.filter.more}
          @click=${()=>this.#i()}
        >
          ${nn()}<span class="hidden-text">${R.filter.more}</span>
        </button>
      </div>
      <fieldset class="chips">
        <legend class="hidden-text">${R.filter.severities}</legend>
        ${P.map(e=>this.#t(e))}
      </fieldset>
      <div id="fields">${this.isOpen?this.#n():T}</div>
      ${this.#r()}
    `}#t(e){let t=this.filter.severity?.includes(e)??!1,n=this.counts?.unread[e]??0;return n+(this.counts?.read[e]??0)===0&&!t?T:S`<button
      class="chip ${e}"
      aria-pressed=${t?`true`:`false`}
      @click=${()=>this.#a(e)}
    >
      ${Qt(e)} ${R.severity[e]}
      ${n>0?S`<b>${R.number(n)}</b>`:T}
    </button>`}#n(){let{filter:e}=this,t=e=>t=>{let{value:n}=t.target,r=e===`category`||e===`action`;this.#l({[e]:n===``?void 0:r?[n]:n})},n=(n,r,i,a)=>{let o=e[r],s=(Array.isArray(o)?o[0]:o)??``;return S`<label
        >${n}
        <select .value=${s} @change=${t(r)}>
          <option value="" ?selected=${s===``}>${i}</option>
          ${a.map(([e,t])=>S`<option value=${e} ?selected=${s===e}>${t}</option>`)}
        </select></label
      >`},r=e=>e.map(e=>[e,H(e)]);return S`<div class="fields">
      ${n(R.filter.status,`status`,R.filter.anyStatus,[[`unread`,R.filter.unread],[`read`,R.filter.read]])}
      ${n(R.filter.category,`category`,R.filter.any,r(this.types.category))}
      ${n(R.filter.action,`action`,R.filter.any,r(this.types.action))}
      ${n(R.filter.source,`ownerKind`,R.filter.anySource,[[`user`,R.filter.user],[`system`,R.filter.system]])}
      <label
        >${R.filter.time}
        <select
          @change=${e=>{let t=Number(e.target.value),n=t?new Date(Date.now()-t).toISOString():void 0;this.#l({from:n,to:void 0})}}
        >
          <option value="0" ?selected=${!e.from}>${R.filter.anyTime}</option>
          ${qn.map(([e,t])=>S`<option value=${t}>${e}</option>`)}
        </select></label
      >
    </div>`}#r(){let{filter:e}=this,t=[],n=(e,...n)=>{t.push([e,Object.fromEntries(n.map(e=>[e,void 0]))])};if(e.status&&n(e.status===`read`?R.filter.read:R.filter.unread,`status`),e.category?.length&&n(`${R.filter.category}: ${e.category.map(H).join(`, `)}`,`category`),e.action?.length&&n(`${R.filter.action}: ${e.action.map(H).join(`, `)}`,`action`),e.ownerKind){let t=e.ownerKind===`user`?R.filter.user:R.filter.system;n(`${R.filter.source}: ${t}`,`ownerKind`)}return e.from&&n(R.filter.since(Hn(e.from)),`from`),e.to&&n(R.filter.until(Hn(e.to)),`to`),e.operationId&&n(R.filter.operation,`operationId`),t.length===0?T:S`<div class="chips" role="group" aria-label=${R.filter.active}>
      ${t.map(([e,t])=>S`<button
            class="chip"
            aria-label=${R.filter.remove(e)}
            @click=${()=>this.#l(t)}
          >
            ${e} ${en()}
          </button>`)}
    </div>`}#i(){this.isOpen=!this.isOpen,this.isOpen&&this.loadTypes().then(e=>{this.types=e},()=>void 0)}#a(e){let t=new Set(this.filter.severity);t.delete(e)||t.add(e),this.#l({severity:P.filter(e=>t.has(e))})}#o(){clearTimeout(this.#e),this.#e=setTimeout(()=>this.#s(),Gn)}#s(){clearTimeout(this.#e);let e=this.searchField.value.trim()||void 0;e!==this.filter.search&&this.#l({search:e})}#c(e){e.key===`Enter`?this.#s():e.key===`Escape`&&(e.stopPropagation(),this.searchField.value=``,this.#s(),this.dispatchEvent(new CustomEvent(`leave`)))}#l(e){let t=Object.entries({...this.filter,...e}).filter(([,e])=>e!==void 0&&e.length>0),n=Object.fromEntries(t);this.dispatchEvent(new CustomEvent(`filter`,{detail:n}))}};W([j({attribute:!1})],G.prototype,`filter`,void 0),W([j({attribute:!1})],G.prototype,`counts`,void 0),W([j({attribute:!1})],G.prototype,`loadTypes`,void 0),W([M()],G.prototype,`isOpen`,void 0),W([M()],G.prototype,`types`,void 0),W([N(`input[type=search]`)],G.prototype,`searchField`,void 0),G=W([A(`tidings-filter-bar`)],G);var Jn=o`
  :host {
    display: grid;
    grid-template-rows: auto minmax(0, 1fr);
    position: relative;
    background: var(--t-surface);
    height: 100%;
    min-height: 20rem;
    overflow: hidden;
    container-type: inline-size;
  }
  .head {
    border-bottom: 1px solid var(--t-line);
    z-index: 1;
  }
  .bar {
    display: flex;
    align-items: center;
    gap: 0.25rem 0.5rem;
    padding: 0.625rem 0.5rem 0.5rem 0.75rem;
    flex-wrap: wrap;
  }
  h2 {
    margin: 0;
    font-size: 1.0625rem;
    line-height: 1.3;
  }
  .counts {
    color: var(--t-muted);
    flex: 1 1 4rem;
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .state {
    display: inline-flex;
    align-items: center;
    gap: 0.375rem;
    color: var(--t-muted);
    font-size: 0.8125rem;
  }
  .state i {
    width: 0.5rem;
    height: 0.5rem;
    border-radius: 50%;
    background: var(--t-warning);
  }
  .state.live i {
    background: var(--t-success);
  }
  .state.signed-out i,
  .state.refused i {
    background: var(--t-error);
  }
  .banner {
    padding: 0.375rem 0.75rem;
    background: color-mix(in srgb, var(--t-warning) 14%, var(--t-surface));
    border-top: 1px solid var(--t-line);
  }
  .chosen {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.25rem 0.5rem;
    padding: 0.375rem 0.75rem;
    background: color-mix(in srgb, var(--t-accent) 12%, var(--t-surface));
    border-top: 1px solid var(--t-line);
  }
  .chosen span {
    flex: 1;
    min-width: max-content;
    font-weight: 600;
  }
  .body {
    position: relative;
    min-height: 0;
    display: grid;
  }
  .pill {
    position: absolute;
    top: 0.625rem;
    left: 50%;
    transform: translateX(-50%);
    z-index: 2;
    border: 0;
    border-radius: 999px;
    padding: 0.375rem 1rem;
    min-height: 2rem;
    background: var(--t-accent);
    color: var(--t-on-accent);
    font-weight: 650;
    box-shadow: var(--t-shadow);
  }
  .empty {
    overflow: auto;
    padding: 2.5rem 1.5rem;
    color: var(--t-muted);
    text-align: center;
  }
  .empty h3 {
    margin: 0 0 0.25rem;
    color: var(--t-text);
  }
  .skeleton {
    padding: 0.75rem;
    display: grid;
    gap: 0.75rem;
    align-content: start;
  }
  .skeleton i {
    height: 2.5rem;
    border-radius: 6px;
    background: var(--t-raised);
    animation: breathe 1.2s ease-in-out infinite alternate;
  }
  @keyframes breathe {
    to {
      opacity: 0.4;
    }
  }
`,Yn={j:`next`,ArrowDown:`next`,k:`previous`,ArrowUp:`previous`,o:`toggle`,e:`mark`,"#":`remove`,Delete:`remove`,x:`choose`,X:`extend`,"*":`chooseAll`,z:`undo`,t:`older`,"/":`search`,n:`release`,"?":`help`,Escape:`escape`};function Xn(e,t){if(e.ctrlKey||e.metaKey||e.altKey||e.defaultPrevented)return;let n=e.composedPath();if(!(n.includes(t)?n.slice(0,n.indexOf(t)):n).some(e=>e instanceof HTMLElement&&Zn(e)))return Object.hasOwn(Yn,e.key)?Yn[e.key]:void 0}function Zn(e){return e.isContentEditable||e instanceof HTMLSelectElement||e instanceof HTMLTextAreaElement||e instanceof HTMLDialogElement||e instanceof HTMLInputElement&&e.type!==`checkbox`}function Qn(e){return typeof e==`object`?e.key:e}function $n(e,t){let n=e.length;return new Proxy(e,{get(e,r,i){if(typeof r==`string`){let i=r.charCodeAt(0);if(i>=48&&i<=57){let i=+r;if(Number.isInteger(i)&&i>=0&&i<n){let n=e[i];if(typeof n!=`object`){let r=t[i*2];n=e[i]={index:i,key:n,start:r,size:t[i*2+1],end:r+t[i*2+1],lane:0}}return n}}if(r===`length`)return n}return Reflect.get(e,r,i)}})}function K(e,t,n){let r=n.initialDeps??[],i,a=!0;function o(){let o=e();return(o.length!==r.length||o.some((e,t)=>r[t]!==e))&&(r=o,i=t(...o),n?.onChange&&!(a&&n.skipInitialOnChange)&&n.onChange(i),a=!1),i}return o.updateDeps=e=>{r=e},o}function er(e,t){if(e===void 0)throw Error(`Unexpected undefined${t?`: ${t}`:``}`);return e}var tr=(e,t)=>Math.abs(e-t)<1.01,nr=(e,t,n)=>{let r;return Object.assign(function(...i){e.clearTimeout(r),r=e.setTimeout(()=>t.apply(this,i),n)},{cancel:()=>{e.clearTimeout(r)}})},q,rr=()=>{if(q!==void 0)return q;if(typeof navigator>`u`)return q=!1;if(/iP(hone|od|ad)/.test(navigator.userAgent))return q=!0;let e=navigator.maxTouchPoints;return q=navigator.platform===`MacIntel`&&e!==void 0&&e>0},ir=e=>{let{offsetWidth:t,offsetHeight:n}=e;return{width:t,height:n}},ar=e=>e,or=e=>{let t=Math.max(e.startIndex-e.overscan,0),n=Math.min(e.endIndex+e.overscan,e.count-1)-t+1,r=Array(n);for(let e=0;e<n;e++)r[e]=t+e;return r},sr=(e,t)=>{let n=e.scrollElement;if(!n)return;let r=e.targetWindow;if(!r)return;let i=e=>{let{width:n,height:r}=e;t({width:Math.round(n),height:Math.round(r)})};if(i(ir(n)),!r.ResizeObserver)return()=>{};let a=new r.ResizeObserver(t=>{let r=()=>{let e=t[0];if(e?.borderBoxSize){let t=e.borderBoxSize[0];if(t){i({width:t.inlineSize,height:t.blockSize});return}}i(ir(n))};e.options.useAnimationFrameWithResizeObserver?requestAnimationFrame(r):r()});return a.observe(n,{box:`border-box`}),()=>{a.unobserve(n)}},cr={passive:!0},lr=typeof window>`u`||`onscrollend`in window,ur=(e,t,n)=>{let r=e.scrollElement;if(!r)return;let i=e.targetWindow;if(!i)return;let a=e.options.useScrollendEvent&&lr,o=0,s=a?null:nr(i,()=>t(n(r),!1),e.options.isScrollingResetDelay),c=e=>()=>{o=n(r),s?.(),t(o,e)},l=c(!0),u=c(!1);return r.addEventListener(`scroll`,l,cr),a&&r.addEventListener(`scrollend`,u,cr),()=>{r.removeEventListener(`scroll`,l),a&&r.removeEventListener(`scrollend`,u),s?.cancel()}},dr=(e,t)=>ur(e,t,t=>{let{horizontal:n,isRtl:r}=e.options;return n?t.scrollLeft*(r&&-1||1):t.scrollTop}),fr=(e,t,n)=>{if(n.options.useCachedMeasurements){let t=n.indexFromElement(e),r=n.options.getItemKey(t);return n.itemSizeCache.get(r)??n.options.estimateSize(t)}if(t?.borderBoxSize){let e=t.borderBoxSize[0];if(e)return Math.round(e[n.options.horizontal?`inlineSize`:`blockSize`])}if(!t){let t=n.indexFromElement(e),r=n.options.getItemKey(t),i=n.itemSizeCache.get(r);if(i!==void 0)return i}return e[n.options.horizontal?`offsetWidth`:`offsetHeight`]},pr=(e,{adjustments:t=0,behavior:n},r)=>{var i,a;(a=(i=r.scrollElement)?.scrollTo)==null||a.call(i,{[r.options.horizontal?`left`:`top`]:e+t,behavior:n})};function mr(e,t,n,r){if(t===0)return!1;let i=r(0),a=new Set,o=0;for(;o<e;){let e=n(o);if(e===i)break;a.add(e),o++}let s=e-o;if(s===0||s>=t)return!1;for(let e=0;e<s;e++)if(r(e)!==n(o+e))return!1;for(let e=s;e<t;e++)if(a.has(r(e)))return!1;return!0}var hr=class{constructor(e){this.unsubs=[],this.scrollElement=null,this.targetWindow=null,this.isScrolling=!1,this.scrollState=null,this.measurementsCache=[],this._singleLaneMeasurements=null,this.itemSizeCache=new Map,this.itemSizeCacheVersion=0,this.laneAssignments=new Map,this.pendingMin=null,this.prevLanes=void 0,this.lanesChangedFlag=!1,this.lanesSettling=!1,this.pendingScrollAnchor=null,this.scrollRect=null,this.scrollOffset=null,this.scrollDirection=null,this.scrollAdjustments=0,this._iosDeferredAdjustment=0,this._iosTouching=!1,this._iosJustTouchEnded=!1,this._iosTouchEndTimerId=null,this._intendedScrollOffset=null,this._clampedAdjustment=null,this.elementsCache=new Map,this.now=()=>{var e;return((e=this.targetWindow?.performance)?.now)?.call(e)??Date.now()},this.observer=(()=>{let e=null,t=()=>e||(!this.targetWindow||!this.targetWindow.ResizeObserver?null:e=new this.targetWindow.ResizeObserver(e=>{e.forEach(e=>{let t=()=>{let t=e.target,n=this.indexFromElement(t);if(t.isConnected)this.isIndexInRange(n)&&this.shouldMeasureDuringScroll(n)&&this.resizeItem(n,this.options.measureElement(t,e,this));else{this.observer.unobserve(t);for(let[e,n]of this.elementsCache)if(n===t){this.elementsCache.delete(e);break}}};this.options.useAnimationFrameWithResizeObserver?requestAnimationFrame(t):t()})}));return{disconnect:()=>{var n;(n=t())==null||n.disconnect(),e=null},observe:e=>t()?.observe(e,{box:`border-box`}),unobserve:e=>t()?.unobserve(e)}})(),this.range=null,this.setOptions=e=>{let t={debug:!1,initialOffset:0,overscan:1,paddingStart:0,paddingEnd:0,scrollPaddingStart:0,scrollPaddingEnd:0,horizontal:!1,getItemKey:ar,rangeExtractor:or,onChange:()=>{},measureElement:fr,initialRect:{width:0,height:0},scrollMargin:0,gap:0,indexAttribute:`data-index`,initialMeasurementsCache:[],lanes:1,anchorTo:`start`,followOnAppend:!1,scrollEndThreshold:1,isScrollingResetDelay:150,enabled:!0,isRtl:!1,useScrollendEvent:!1,useAnimationFrameWithResizeObserver:!1,laneAssignmentMode:`estimate`,useCachedMeasurements:!1};for(let n in e){let r=e[n];r!==void 0&&(t[n]=r)}let n=this.options,r=null,i=null,a=!1;if(n!==void 0&&n.enabled&&t.enabled&&t.anchorTo===`end`&&this.scrollElement!==null){let e=n.count,o=t.count,s=this.getMeasurements(),c=this._singleLaneMeasurements?.items??s,l=e=>Qn(c[e]),u=e>0?l(0):null,d=e>0?l(e-1):null;if(o!==e||e>0&&o>0&&(t.getItemKey(0)!==u||t.getItemKey(o-1)!==d)){a=!0;let c=e>0?this.getVirtualItemForOffset(this.getScrollOffset())??s[0]:null;c&&(r=[c.key,this.getScrollOffset()-c.start]);let u=t.followOnAppend===!0?`auto`:t.followOnAppend||null;u&&o>0&&this.isAtEnd(n.scrollEndThreshold)&&(e===0||t.getItemKey(o-1)!==d)&&(o>e||mr(e,o,l,t.getItemKey))&&(i=u)}}this.options=t,a&&(this.pendingMin=0,this.itemSizeCacheVersion++);let o=!1,s=0;if(r&&this.scrollOffset!==null){let[e,t]=r,n=this.getMeasurements(),{count:a,getItemKey:c}=this.options,l=0;for(;l<a&&c(l)!==e;)l++;if(l<a){let e=n[l];if(e){let n=Math.max(0,e.start+t);!i&&n!==this.scrollOffset&&(s=n-this.scrollOffset,this.scrollOffset=n,o=!0)}}}(o||i)&&(this.pendingScrollAnchor=[o?r[0]:null,o?r[1]:0,i,s])},this.notify=e=>{var t,n;(n=(t=this.options).onChange)==null||n.call(t,this,e)},this.maybeNotify=K(()=>(this.calculateRange(),[this.isScrolling,this.range?this.range.startIndex:null,this.range?this.range.endIndex:null]),e=>{this.notify(e)},{key:!1,debug:()=>this.options.debug,initialDeps:[this.isScrolling,this.range?this.range.startIndex:null,this.range?this.range.endIndex:null]}),this.cleanup=()=>{this.unsubs.filter(Boolean).forEach(e=>e()),this.unsubs=[],this.observer.disconnect(),this.rafId!=null&&this.targetWindow&&(this.targetWindow.cancelAnimationFrame(this.rafId),this.rafId=null),this.scrollState=null,this.isScrolling=!1,this.scrollDirection=null,this._iosDeferredAdjustment=0,this._iosTouching=!1,this._iosJustTouchEnded=!1,this._clampedAdjustment=null,this.scrollElement=null,this.targetWindow=null},this._didMount=()=>()=>{this.cleanup()},this._willUpdate=()=>{let e=this.options.enabled?this.options.getScrollElement():null;if(this.scrollElement!==e){if(this.cleanup(),!e){this.maybeNotify();return}if(this.scrollElement=e,this.targetWindow=this.scrollElement&&`ownerDocument`in this.scrollElement?this.scrollElement.ownerDocument.defaultView:this.scrollElement?.window??null,this.elementsCache.forEach(e=>{this.observer.observe(e)}),this.unsubs.push(this.options.observeElementRect(this,e=>{this.scrollRect=e,this.maybeNotify()})),this.unsubs.push(this.options.observeElementOffset(this,(e,t)=>{if(t&&this._intendedScrollOffset===null&&e===this.scrollOffset)return;this._intendedScrollOffset!==null&&Math.abs(e-this._intendedScrollOffset)<1.5&&(e=this._intendedScrollOffset),this._intendedScrollOffset=null,this._clampedAdjustment!==null&&Math.abs(e-this._clampedAdjustment.maxAtWrite)>=1.5&&(this._clampedAdjustment=null),this.scrollAdjustments=0;let n=this.getScrollOffset();this.scrollDirection=t?n===e?this.scrollDirection:n<e?`forward`:`backward`:null,this.scrollOffset=e,this.isScrolling=t,this._flushIosDeferredIfReady(),this.scrollState&&this.scheduleScrollReconcile(),this.maybeNotify()})),`addEventListener`in this.scrollElement){let e=this.scrollElement,t=()=>{this._iosTouching=!0,this._iosJustTouchEnded=!1,this._iosTouchEndTimerId!==null&&this.targetWindow!=null&&(this.targetWindow.clearTimeout(this._iosTouchEndTimerId),this._iosTouchEndTimerId=null)},n=()=>{this._iosTouching=!1,rr()&&this.targetWindow!=null&&(this._iosJustTouchEnded=!0,this._iosTouchEndTimerId=this.targetWindow.setTimeout(()=>{this._iosJustTouchEnded=!1,this._iosTouchEndTimerId=null,this._flushIosDeferredIfReady()},150))};e.addEventListener(`touchstart`,t,cr),e.addEventListener(`touchend`,n,cr),this.unsubs.push(()=>{e.removeEventListener(`touchstart`,t),e.removeEventListener(`touchend`,n),this._iosTouchEndTimerId!==null&&this.targetWindow!=null&&(this.targetWindow.clearTimeout(this._iosTouchEndTimerId),this._iosTouchEndTimerId=null)})}this._scrollToOffset(this.getScrollOffset(),{adjustments:void 0,behavior:void 0})}let t=this.pendingScrollAnchor;if(this.pendingScrollAnchor=null,t&&this.scrollElement&&this.options.enabled){let[e,n,r,i]=t;e!==null&&!r&&(rr()&&(this.isScrolling||this._iosTouching||this._iosJustTouchEnded)?i!==0&&(this._iosDeferredAdjustment+=i):this.scrollState?.behavior===`smooth`&&!tr(this.getScrollOffset()-i,this.scrollState.lastTargetOffset)||this._scrollToOffset(this.getScrollOffset(),{adjustments:void 0,behavior:void 0})),r&&this.scrollToEnd({behavior:r})}this._retryClampedAdjustment()},this._retryClampedAdjustment=()=>{if(this._clampedAdjustment===null||!this.scrollElement||!this.options.enabled)return;let{target:e,maxAtWrite:t}=this._clampedAdjustment,n=this.getMaxScrollOffset();n>t+.5&&(this._clampedAdjustment=e>n+.5?{target:e,maxAtWrite:n}:null,this._scrollToOffset(e,{adjustments:void 0,behavior:void 0}))},this._flushIosDeferredIfReady=()=>{if(this._iosDeferredAdjustment===0||this.isScrolling||this._iosTouching||this._iosJustTouchEnded)return;let e=this.getScrollOffset(),t=this.getMaxScrollOffset();if(e<0||e>t)return;if(this._iosDeferredAdjustment<0&&e>=t-1){this._iosDeferredAdjustment=0;return}let n=this._iosDeferredAdjustment;this._iosDeferredAdjustment=0,this._scrollToOffset(e,{adjustments:this.scrollAdjustments+=n,behavior:void 0})},this.rafId=null,this.getSize=()=>this.options.enabled?(this.scrollRect=this.scrollRect??this.options.initialRect,this.scrollRect[this.options.horizontal?`width`:`height`]):(this.scrollRect=null,0),this.getScrollOffset=()=>this.options.enabled?(this.scrollOffset=this.scrollOffset??(typeof this.options.initialOffset==`function`?this.options.initialOffset():this.options.initialOffset),this.scrollOffset):(this.scrollOffset=null,0),this.getMeasurementOptions=K(()=>[this.options.count,this.options.paddingStart,this.options.scrollMargin,this.options.getItemKey,this.options.enabled,this.options.lanes,this.options.laneAssignmentMode,this.options.gap],(e,t,n,r,i,a,o,s)=>(this.prevLanes!==void 0&&this.prevLanes!==a&&(this.lanesChangedFlag=!0),this.prevLanes=a,this.pendingMin=null,{count:e,paddingStart:t,scrollMargin:n,getItemKey:r,enabled:i,lanes:a,laneAssignmentMode:o,gap:s}),{key:!1}),this.isIndexInRange=e=>e>=0&&e<this.options.count,this.getMeasurements=K(()=>[this.getMeasurementOptions(),this.itemSizeCacheVersion],({count:e,paddingStart:t,scrollMargin:n,getItemKey:r,enabled:i,lanes:a,laneAssignmentMode:o,gap:s},c)=>{let l=this.itemSizeCache;if(!i)return this.measurementsCache=[],this._singleLaneMeasurements=null,this.itemSizeCache.clear(),this.laneAssignments.clear(),[];if(this.laneAssignments.size>e)for(let t of this.laneAssignments.keys())t>=e&&this.laneAssignments.delete(t);this.lanesChangedFlag&&(this.lanesChangedFlag=!1,this.lanesSettling=!0,this.measurementsCache=[],this._singleLaneMeasurements=null,this.itemSizeCache.clear(),this.laneAssignments.clear(),this.pendingMin=null),this.measurementsCache.length===0&&!this.lanesSettling&&(this.measurementsCache=this.options.initialMeasurementsCache,this.measurementsCache.forEach(e=>{this.itemSizeCache.set(e.key,e.size)}));let u=this.lanesSettling?0:this.pendingMin??0;if(this.pendingMin=null,this.lanesSettling&&this.measurementsCache.length===e&&(this.lanesSettling=!1),a===1){let i=e*2,a=this._singleLaneMeasurements?.flat;if(!a||a.length<i){let e=new Float64Array(i);a&&u>0&&e.set(a.subarray(0,u*2)),a=e}let o=u===0?Array(e):this._singleLaneMeasurements.items.slice(),c;if(u===0)c=t+n;else{let e=u-1;c=a[e*2]+a[e*2+1]+s}for(let t=u;t<e;t++){let e=r(t);o[t]=e;let n=l.get(e),i=typeof n==`number`?n:this.options.estimateSize(t);a[t*2]=c,a[t*2+1]=i,c+=i+s}this._singleLaneMeasurements={flat:a,items:o};let d=$n(o,a);return this.measurementsCache=d,d}let d=this.measurementsCache.slice(0,u),f=Array(a).fill(void 0),p=new Float64Array(a),m=0;for(let e=0;e<u;e++){let t=d[e];t&&(f[t.lane]===void 0&&m++,f[t.lane]=e,p[t.lane]=t.end)}for(let i=u;i<e;i++){let e=r(i),c=this.laneAssignments.get(i),u,h,ee=o===`estimate`||l.has(e);if(c!==void 0&&this.options.lanes>1){u=c;let e=f[u],r=e===void 0?void 0:d[e];h=r?r.end+s:t+n}else if(m===a){let e=0,t=p[0],n=f[0];for(let r=1;r<a;r++){let i=p[r];(i<t||i===t&&f[r]<n)&&(e=r,t=i,n=f[r])}u=e,h=t+s,ee&&this.laneAssignments.set(i,u)}else u=i%this.options.lanes,h=t+n,ee&&this.laneAssignments.set(i,u);let te=l.get(e),ne=typeof te==`number`?te:this.options.estimateSize(i),g=h+ne;d[i]={index:i,start:h,size:ne,end:g,key:e,lane:u},f[u]===void 0&&m++,f[u]=i,p[u]=g}return this.measurementsCache=d,d},{key:!1,debug:()=>this.options.debug}),this.calculateRange=K(()=>[this.getMeasurements(),this.getSize(),this.getScrollOffset(),this.options.lanes],(e,t,n,r)=>e.length===0||t===0?(this.range=null,null):(this.range=vr(e,t,n,r,r===1&&this._singleLaneMeasurements!==null?this._singleLaneMeasurements.flat:null),this.range),{key:!1,debug:()=>this.options.debug}),this.getVirtualIndexes=K(()=>{let e=null,t=null,n=this.calculateRange();return n&&(e=n.startIndex,t=n.endIndex),this.maybeNotify.updateDeps([this.isScrolling,e,t]),[this.options.rangeExtractor,this.options.overscan,this.options.count,e,t]},(e,t,n,r,i)=>r===null||i===null?[]:e({startIndex:r,endIndex:i,overscan:t,count:n}),{key:!1,debug:()=>this.options.debug}),this.indexFromElement=e=>{let t=this.options.indexAttribute,n=e.getAttribute(t);return n?parseInt(n,10):(console.warn(`Missing attribute name '${t}={index}' on measured element.`),-1)},this.shouldMeasureDuringScroll=e=>{if(!this.scrollState||this.scrollState.behavior!==`smooth`)return!0;let t=this.scrollState.index??this.getVirtualItemForOffset(this.scrollState.lastTargetOffset)?.index;if(t!==void 0&&this.range){let n=Math.max(this.options.overscan,Math.ceil((this.range.endIndex-this.range.startIndex)/2)),r=Math.max(0,t-n),i=Math.min(this.options.count-1,t+n);return e>=r&&e<=i}return!0},this.measureElement=e=>{if(!e){this.elementsCache.forEach((e,t)=>{e.isConnected||(this.observer.unobserve(e),this.elementsCache.delete(t))});return}let t=this.indexFromElement(e);if(!this.isIndexInRange(t))return;let n=this.options.getItemKey(t),r=this.elementsCache.get(n);r!==e&&(r&&this.observer.unobserve(r),this.observer.observe(e),this.elementsCache.set(n,e)),(!this.isScrolling||this.scrollState)&&this.shouldMeasureDuringScroll(t)&&this.resizeItem(t,this.options.measureElement(e,void 0,this))},this.resizeItem=(e,t)=>{if(!this.isIndexInRange(e))return;let n,r,i,a=this._singleLaneMeasurements?.flat;if(this.options.lanes===1&&a!=null)i=this.options.getItemKey(e),r=a[e*2],n=a[e*2+1];else{let t=this.measurementsCache[e];if(!t)return;i=t.key,r=t.start,n=t.size}let o=this.itemSizeCache.get(i)??n,s=t-o;if(s!==0){let a=this.options.anchorTo===`end`&&this.scrollState?.behavior!==`smooth`&&this.getVirtualDistanceFromEnd()<=this.options.scrollEndThreshold,c=a?this.getTotalSize():0,l=this.getScrollOffset()+this.scrollAdjustments,u=this.itemSizeCache.has(i)?r+o<=l&&this.scrollDirection!==`backward`:r<l,d=this.scrollState?.behavior!==`smooth`&&(this.shouldAdjustScrollPositionOnItemSizeChange===void 0?u:this.shouldAdjustScrollPositionOnItemSizeChange(this.measurementsCache[e]??{index:e,key:i,start:r,size:n,end:r+n,lane:0},s,this));(this.pendingMin===null||e<this.pendingMin)&&(this.pendingMin=e),this.itemSizeCache.set(i,t),this.itemSizeCacheVersion++;let f=!1;a?f=this.applyScrollAdjustment(this.getTotalSize()-c):d&&(f=this.applyScrollAdjustment(s)),this.notify(f),this._retryClampedAdjustment()}},this.getVirtualItems=K(()=>[this.getVirtualIndexes(),this.getMeasurements()],(e,t)=>{let n=[];for(let r=0,i=e.length;r<i;r++){let i=t[e[r]];n.push(i)}return n},{key:!1,debug:()=>this.options.debug}),this.getVirtualItemForOffset=e=>{let t=this.getMeasurements();if(t.length===0)return;let n=this._singleLaneMeasurements?.flat,r=this.options.lanes===1&&n!=null;return er(t[gr(0,t.length-1,r?e=>n[e*2]:e=>er(t[e]).start,e)])},this.getMaxScrollOffset=()=>{if(!this.scrollElement)return 0;if(`scrollHeight`in this.scrollElement)return this.options.horizontal?this.scrollElement.scrollWidth-this.scrollElement.clientWidth:this.scrollElement.scrollHeight-this.scrollElement.clientHeight;{let e=this.scrollElement.document.documentElement;return this.options.horizontal?e.scrollWidth-this.scrollElement.innerWidth:e.scrollHeight-this.scrollElement.innerHeight}},this.getVirtualDistanceFromEnd=()=>Math.max(this.getTotalSize()-this.getSize()-this.getScrollOffset(),0),this.getDistanceFromEnd=()=>Math.max(this.getMaxScrollOffset()-this.getScrollOffset(),0),this.isAtEnd=(e=this.options.scrollEndThreshold)=>this.getDistanceFromEnd()<=e,this.getOffsetForAlignment=(e,t,n=0)=>{if(!this.scrollElement)return 0;let r=this.getSize(),i=this.getScrollOffset();t===`auto`&&(t=e>=i+r?`end`:`start`),t===`center`?e+=(n-r)/2:t===`end`&&(e-=r);let a=this.getMaxScrollOffset();return Math.max(Math.min(a,e),0)},this.getOffsetForIndex=(e,t=`auto`)=>{e=Math.max(0,Math.min(e,this.options.count-1));let n=this.getSize(),r=this.getScrollOffset(),i=this.measurementsCache[e];if(!i)return;if(t===`auto`){if(i.end>=r+n-this.options.scrollPaddingEnd)t=`end`;else if(i.start<=r+this.options.scrollPaddingStart)t=`start`;else return[r,t]}if(t===`end`&&e===this.options.count-1)return[this.getMaxScrollOffset(),t];let a=t===`end`?i.end+this.options.scrollPaddingEnd:i.start-this.options.scrollPaddingStart;return[this.getOffsetForAlignment(a,t,i.size),t]},this.scrollToOffset=(e,{align:t=`start`,behavior:n=`auto`}={})=>{this._iosDeferredAdjustment=0;let r=this.getOffsetForAlignment(e,t),i=this.now();this.scrollState={index:null,align:t,behavior:n,startedAt:i,lastTargetOffset:r,stableFrames:0},this._scrollToOffset(r,{adjustments:void 0,behavior:n}),this.scheduleScrollReconcile()},this.scrollToIndex=(e,{align:t=`auto`,behavior:n=`auto`}={})=>{this._iosDeferredAdjustment=0,e=Math.max(0,Math.min(e,this.options.count-1));let r=this.getOffsetForIndex(e,t);if(!r)return;let[i,a]=r,o=this.now();this.scrollState={index:e,align:a,behavior:n,startedAt:o,lastTargetOffset:i,stableFrames:0},this._scrollToOffset(i,{adjustments:void 0,behavior:n}),this.scheduleScrollReconcile()},this.scrollBy=(e,{behavior:t=`auto`}={})=>{let n=this.getScrollOffset()+e,r=this.now();this.scrollState={index:null,align:`start`,behavior:t,startedAt:r,lastTargetOffset:n,stableFrames:0},this._scrollToOffset(n,{adjustments:void 0,behavior:t}),this.scheduleScrollReconcile()},this.scrollToEnd=({behavior:e=`auto`}={})=>{this.options.count>0?this.scrollToIndex(this.options.count-1,{align:`end`,behavior:e}):this.scrollToOffset(Math.max(this.getTotalSize()-this.getSize(),0),{behavior:e})},this.getTotalSize=()=>{let e=this.getMeasurements(),t;if(e.length===0)t=this.options.paddingStart;else if(this.options.lanes===1){let n=e.length-1,r=this._singleLaneMeasurements?.flat;t=r==null?e[n]?.end??0:r[n*2]+r[n*2+1]}else{let n=Array(this.options.lanes).fill(null),r=e.length-1;for(;r>=0&&n.some(e=>e===null);){let t=e[r];n[t.lane]===null&&(n[t.lane]=t.end),r--}t=Math.max(...n.filter(e=>e!==null))}return Math.max(t-this.options.scrollMargin+this.options.paddingEnd,0)},this.takeSnapshot=()=>{let e=[];if(this.itemSizeCache.size===0)return e;let t=this.getMeasurements();for(let n of t)n&&this.itemSizeCache.has(n.key)&&e.push({index:n.index,key:n.key,start:n.start,size:n.size,end:n.end,lane:n.lane});return e},this._scrollToOffset=(e,{adjustments:t,behavior:n})=>{this._intendedScrollOffset=e+(t??0),this.options.scrollToFn(e,{behavior:n,adjustments:t},this)},this.measure=()=>{this.pendingMin=null,this.itemSizeCache.clear(),this.laneAssignments.clear(),this.itemSizeCacheVersion++,this.notify(!1)},this.setOptions(e)}applyScrollAdjustment(e,t){if(e===0)return!1;if(rr()&&(this.isScrolling||this._iosTouching||this._iosJustTouchEnded))return this._iosDeferredAdjustment+=e,!1;{let n=this.getScrollOffset()+this.scrollAdjustments+e,r=this.scrollElement,i=r!==null&&(`scrollHeight`in r||`document`in r)?this.getMaxScrollOffset():null;return this._clampedAdjustment=i!==null&&n>i+.5?{target:n,maxAtWrite:i}:null,this._scrollToOffset(this.getScrollOffset(),{adjustments:this.scrollAdjustments+=e,behavior:t}),this.scrollOffset!==null&&(this.scrollOffset+=this.scrollAdjustments,this.scrollOffset<0&&(this.scrollOffset=0),this.scrollAdjustments=0),!0}}scheduleScrollReconcile(){this.targetWindow?this.rafId??=this.targetWindow.requestAnimationFrame(()=>{this.rafId=null,this.reconcileScroll()}):this.scrollState=null}reconcileScroll(){if(!this.scrollState||!this.scrollElement)return;if(this.now()-this.scrollState.startedAt>5e3){this.scrollState=null;return}let e=this.scrollState.index==null?void 0:this.getOffsetForIndex(this.scrollState.index,this.scrollState.align),t=e?e[0]:this.scrollState.lastTargetOffset,n=t!==this.scrollState.lastTargetOffset;if(!n&&tr(t,this.getScrollOffset())){if(this.scrollState.stableFrames++,this.scrollState.stableFrames>=1){this.getScrollOffset()!==t&&this._scrollToOffset(t,{adjustments:void 0,behavior:`auto`}),this.scrollState=null;return}}else if(this.scrollState.stableFrames=0,n){let e=this.getSize()||600,n=Math.abs(t-this.getScrollOffset()),r=this.scrollState.behavior===`smooth`&&n>e;this.scrollState.lastTargetOffset=t,r||(this.scrollState.behavior=`auto`),this._scrollToOffset(t,{adjustments:void 0,behavior:r?`smooth`:`auto`})}this.scheduleScrollReconcile()}},gr=(e,t,n,r)=>{for(;e<=t;){let i=(e+t)/2|0,a=n(i);if(a<r)e=i+1;else if(a>r)t=i-1;else return i}return e>0?e-1:0};function _r(e,t,n){let r=0;for(;r<=t;){let i=(r+t)/2|0,a=e[i*2];if(a<n)r=i+1;else if(a>n)t=i-1;else return i}return r>0?r-1:0}function vr(e,t,n,r,i){let a=e.length-1;if(e.length<=r)return{startIndex:0,endIndex:a};if(r===1&&i!==null){let e=_r(i,a,n),r=e,o=n+t;for(;r<a&&i[r*2]+i[r*2+1]<o;)r++;return{startIndex:e,endIndex:r}}let o=gr(0,a,t=>e[t].start,n),s=o;if(r===1)for(;s<a&&e[s].end<n+t;)s++;else if(r>1){let i=Array(r).fill(0);for(;s<a&&i.some(e=>e<n+t);){let t=e[s];i[t.lane]=t.end,s++}let c=Array(r).fill(n+t);for(;o>=0&&c.some(e=>e>=n);){let t=e[o];c[t.lane]=t.start,o--}o=Math.max(0,o-o%r),s=Math.min(a,s+(r-1-s%r))}return{startIndex:o,endIndex:s}}var yr=class{constructor(e,t){this.cleanup=()=>{};let n={...t,onChange:(e,n)=>{var r;this.host.updateComplete.then(()=>this.host.requestUpdate()),(r=t.onChange)==null||r.call(t,e,n)}};this.virtualizer=new hr(n),(this.host=e).addController(this)}getVirtualizer(){return this.virtualizer}hostConnected(){this.cleanup=this.virtualizer._didMount()}hostUpdated(){this.virtualizer._willUpdate()}hostDisconnected(){this.cleanup()}},br=class extends yr{constructor(e,t){super(e,{observeElementRect:sr,observeElementOffset:dr,scrollToFn:pr,...t})}},{I:xr}=Pe,Sr=e=>e,Cr=e=>e.strings===void 0,wr=()=>document.createComment(``),J=(e,t,n)=>{let r=e._$AA.parentNode,i=t===void 0?e._$AB:t._$AA;if(n===void 0)n=new xr(r.insertBefore(wr(),i),r.insertBefore(wr(),i),e,e.options);else{let t=n._$AB.nextSibling,a=n._$AM,o=a!==e;if(o){let t;n._$AQ?.(e),n._$AM=e,n._$AP!==void 0&&(t=e._$AU)!==a._$AU&&n._$AP(t)}if(t!==i||o){let e=n._$AA;for(;e!==t;){let t=Sr(e).nextSibling;Sr(r).insertBefore(e,i),e=t}}}return n},Y=(e,t,n=e)=>(e._$AI(t,n),e),Tr={},Er=(e,t=Tr)=>e._$AH=t,Dr=e=>e._$AH,Or=e=>{e._$AR(),e._$AA.remove()},X={ATTRIBUTE:1,CHILD:2,PROPERTY:3,BOOLEAN_ATTRIBUTE:4,EVENT:5,ELEMENT:6},kr=e=>(...t)=>({_$litDirective$:e,values:t}),Ar=class{constructor(e){}get _$AU(){return this._$AM._$AU}_$AT(e,t,n){this._$Ct=e,this._$AM=t,this._$Ci=n}_$AS(e,t){return this.update(e,t)}update(e,t){return this.render(...t)}},jr=(e,t)=>{let n=e._$AN;if(n===void 0)return!1;for(let e of n)e._$AO?.(t,!1),jr(e,t);return!0},Mr=e=>{let t,n;do{if((t=e._$AM)===void 0)break;n=t._$AN,n.delete(e),e=t}while(n?.size===0)},Nr=e=>{for(let t;t=e._$AM;e=t){let n=t._$AN;if(n===void 0)t._$AN=n=new Set;else if(n.has(e))break;n.add(e),Ir(t)}};function Pr(e){this._$AN===void 0?this._$AM=e:(Mr(this),this._$AM=e,Nr(this))}function Fr(e,t=!1,n=0){let r=this._$AH,i=this._$AN;if(i!==void 0&&i.size!==0){if(t){if(Array.isArray(r))for(let e=n;e<r.length;e++)jr(r[e],!1),Mr(r[e]);else r!=null&&(jr(r,!1),Mr(r))}else jr(this,e)}}var Ir=e=>{e.type==X.CHILD&&(e._$AP??=Fr,e._$AQ??=Pr)},Lr=class extends Ar{constructor(){super(...arguments),this._$AN=void 0}_$AT(e,t,n){super._$AT(e,t,n),Nr(this),this.isConnected=e._$AU}_$AO(e,t=!0){e!==this.isConnected&&(this.isConnected=e,e?this.reconnected?.():this.disconnected?.()),t&&(jr(this,e),Mr(this))}setValue(e){if(Cr(this._$Ct))this._$Ct._$AI(e,this);else{let t=[...this._$Ct._$AH];t[this._$Ci]=e,this._$Ct._$AI(t,this,0)}}disconnected(){}reconnected(){}},Rr=()=>new zr,zr=class{},Br=new WeakMap,Vr=kr(class extends Lr{render(e){return T}update(e,[t]){let n=t!==this.G;return n&&this.rt(void 0),(n||this.lt!==this.ct)&&(this.G=t,this.ht=e.options?.host,this.rt(this.ct=e.element)),T}rt(e){if(this.G!==void 0){if(this.isConnected||(e=void 0),typeof this.G==`function`){let t=this.ht??globalThis,n=Br.get(t);n===void 0&&(n=new WeakMap,Br.set(t,n)),n.get(this.G)!==void 0&&this.G.call(this.ht,void 0),n.set(this.G,e),e!==void 0&&this.G.call(this.ht,e)}else this.G.value=e}}get lt(){return typeof this.G==`function`?Br.get(this.ht??globalThis)?.get(this.G):this.G?.value}disconnected(){this.lt===this.ct&&this.rt(void 0)}reconnected(){this.rt(this.ct)}}),Hr=(e,t,n)=>{let r=new Map;for(let i=t;i<=n;i++)r.set(e[i],i);return r},Ur=kr(class extends Ar{constructor(e){if(super(e),e.type!==X.CHILD)throw Error(`repeat() can only be used in text expressions`)}dt(e,t,n){let r;n===void 0?n=t:t!==void 0&&(r=t);let i=[],a=[],o=0;for(let t of e)i[o]=r?r(t,o):o,a[o]=n(t,o),o++;return{values:a,keys:i}}render(e,t,n){return this.dt(e,t,n).values}update(e,[t,n,r]){let i=Dr(e),{values:a,keys:o}=this.dt(t,n,r);if(!Array.isArray(i))return this.ut=o,a;let s=this.ut??=[],c=[],l,u,d=0,f=i.length-1,p=0,m=a.length-1;for(;d<=f&&p<=m;)if(i[d]===null)d++;else if(i[f]===null)f--;else if(s[d]===o[p])c[p]=Y(i[d],a[p]),d++,p++;else if(s[f]===o[m])c[m]=Y(i[f],a[m]),f--,m--;else if(s[d]===o[m])c[m]=Y(i[d],a[m]),J(e,c[m+1],i[d]),d++,m--;else if(s[f]===o[p])c[p]=Y(i[f],a[p]),J(e,i[d],i[f]),f--,p++;else if(l===void 0&&(l=Hr(o,p,m),u=Hr(s,d,f)),l.has(s[d])){if(l.has(s[f])){let t=u.get(o[p]),n=t===void 0?null:i[t];if(n===null){let t=J(e,i[d]);Y(t,a[p]),c[p]=t}else c[p]=Y(n,a[p]),J(e,i[d],n),i[t]=null;p++}else Or(i[f]),f--}else Or(i[d]),d++;for(;p<=m;){let t=J(e,c[m+1]);Y(t,a[p]),c[p++]=t}for(;d<=f;){let e=i[d++];e!==null&&Or(e)}return this.ut=o,Er(e,c),w}}),Wr=kr(class extends Ar{constructor(e){if(super(e),e.type!==X.PROPERTY&&e.type!==X.ATTRIBUTE&&e.type!==X.BOOLEAN_ATTRIBUTE)throw Error("The `live` directive is not allowed on child or event bindings");if(!Cr(e))throw Error("`live` bindings can only contain a single expression")}render(e){return e}update(e,[t]){if(t===w||t===T)return t;let n=e.element,r=e.name;if(e.type===X.PROPERTY){if(t===n[r])return w}else if(e.type===X.BOOLEAN_ATTRIBUTE){if(!!t===n.hasAttribute(r))return w}else if(e.type===X.ATTRIBUTE&&n.getAttribute(r)===t+``)return w;return Er(e),t}});function Gr(e){let t=e.currentTarget;t.title=Vn(t.dateTime)}function Kr(e,t,n){let{event:r}=e,i=r.status===`unread`,a=r.severity,o=i?R.row.markRead:R.row.markUnread;return S`
    <div
      class="row ${a} ${i?`is-unread`:``} ${e.isOlder?`is-older`:``} ${t.isOpen?`is-open`:``} ${t.isChosen?`is-chosen`:``}"
      @focusin=${()=>n.focus(e)}
    >
      <label class="choose">
        <input
          type="checkbox"
          tabindex=${t.isActive?0:-1}
          aria-label=${R.row.select(U(r))}
          .checked=${Wr(t.isChosen)}
          @click=${t=>n.choose(e,t.shiftKey)}
        />
      </label>
      <span class="icon" title=${R.severity[a]}>${Qt(a)}</span>
      <button
        class="title"
        tabindex=${t.isActive?0:-1}
        aria-expanded=${t.isOpen?`true`:`false`}
        @click=${()=>n.toggle(e)}
      >
        <span class="hidden-text">${i?`${R.row.unread}. `:``}</span>
        <span class="text" aria-label=${Wn(r)}>${U(r)}</span>
        <span class="facts">
          <span>${H(r.category)} · ${H(r.action)}</span>
          <span>${Ye(r)===`system`?R.row.system:R.row.you}</span>
          <time datetime=${r.createdAt} @pointerenter=${Gr}>${Bn(r.createdAt)}</time>
        </span>
      </button>
      <span class="dot" aria-hidden="true">${i?S`<i></i>`:T}</span>
      <span class="actions">
        <button
          class="plain"
          tabindex=${t.isActive?0:-1}
          title=${o}
          aria-label=${o}
          @click=${()=>n.mark(e)}
        >
          ${i?on():sn()}
        </button>
        <button
          class="plain"
          tabindex=${t.isActive?0:-1}
          title=${R.row.remove}
          aria-label=${R.row.remove}
          @click=${()=>n.remove(e)}
        >
          ${cn()}
        </button>
      </span>
      ${e.older>0?qr(e,t,n):T}
    </div>
  `}function qr(e,t,n){return S`
    <button
      class="older"
      tabindex=${t.isActive?0:-1}
      aria-expanded=${t.isOperationOpen?`true`:`false`}
      @click=${()=>n.toggleOperation(e)}
    >
      ${ln()}
      ${t.isOperationOpen?R.row.hideOlder:R.row.older(e.older)}
    </button>
  `}var Jr=o`
  .row {
    display: grid;
    grid-template-columns: auto auto minmax(0, 1fr) auto auto;
    align-items: start;
    column-gap: 0.625rem;
    padding: 0.5rem 0.75rem 0.5rem 0.5rem;
    border-bottom: 1px solid var(--t-line);
    border-inline-start: 3px solid transparent;
    background: var(--t-surface);
  }
  .row:hover {
    background: var(--t-hover);
  }
  .row.is-unread {
    border-inline-start-color: var(--t-severity);
  }
  .row.is-older {
    padding-inline-start: 2.25rem;
    background: var(--t-raised);
  }
  .row.is-open {
    border-bottom-color: transparent;
  }
  .row.is-chosen {
    background: color-mix(in srgb, var(--t-accent) 12%, var(--t-surface));
  }
  .choose {
    display: grid;
    place-items: center;
    min-width: 1.5rem;
    min-height: 1.75rem;
    cursor: pointer;
  }
  .choose input {
    width: 1rem;
    height: 1rem;
    margin: 0;
    accent-color: var(--t-accent);
    cursor: pointer;
  }
  .icon {
    color: var(--t-severity);
    padding-block-start: 0.25rem;
  }
  .title {
    border: 0;
    background: none;
    padding: 0.1875rem 0;
    text-align: start;
    min-width: 0;
    border-radius: 4px;
  }
  .text {
    display: block;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .is-open .text {
    white-space: normal;
    overflow-wrap: anywhere;
  }
  .is-unread .text {
    font-weight: 650;
  }
  .facts {
    display: flex;
    gap: 0.125rem 0.3125rem;
    color: var(--t-muted);
    font-size: 0.8125rem;
    overflow: hidden;
  }
  .facts > * {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    flex: 0 1 auto;
  }
  .facts > :nth-child(2)::before {
    content: "· ";
  }
  .facts time {
    flex-shrink: 0;
    margin-inline-start: auto;
  }
  .dot {
    width: 0.5rem;
    padding-block-start: 0.625rem;
  }
  .dot i {
    display: block;
    width: 0.5rem;
    height: 0.5rem;
    border-radius: 50%;
    background: var(--t-accent);
  }
  .actions {
    display: flex;
    opacity: 0;
  }
  .row:hover .actions,
  .row:focus-within .actions,
  .is-open .actions {
    opacity: 1;
  }
  .older {
    grid-column: 3 / -1;
    justify-self: start;
    display: inline-flex;
    align-items: center;
    gap: 0.25rem;
    border: 0;
    background: none;
    padding: 0.125rem 0.25rem;
    margin-inline-start: -0.25rem;
    min-height: 1.5rem;
    border-radius: 4px;
    color: var(--t-accent);
    font-size: 0.8125rem;
  }
  .older:hover {
    text-decoration: underline;
  }
  .older svg {
    width: 1em;
    height: 1em;
    transition: transform 0.15s;
  }
  .older[aria-expanded="true"] svg {
    transform: rotate(90deg);
  }
  @media (hover: none) {
    .actions {
      opacity: 1;
    }
  }
  @container (max-width: 30rem) {
    .row {
      column-gap: 0.375rem;
      padding-inline: 0.25rem 0.5rem;
    }
    .row:not(.is-open):not(:focus-within):not(:hover) .actions {
      display: none;
    }
    .facts {
      flex-wrap: wrap;
    }
  }
`,Yr=(function(){let e=typeof document<`u`&&document.createElement(`link`).relList;return e&&e.supports&&e.supports(`modulepreload`)?`modulepreload`:`preload`})(),Xr=function(e,t){return new URL(e,t).href},Zr={},Qr=function(e){return e.pathname.endsWith(`.css`)},$r=function(e,t,n){if(t in e)return e[t];let r=n();if(!r){e[t]=void 0;return}let i=r.then(()=>{e[t]=void 0},n=>{throw e[t]=void 0,n});return e[t]=i,i},ei=function(e,t,n){let r=Promise.resolve();if(t&&t.length>0){let e,i=document.querySelector(`meta[property=csp-nonce]`),a=i?.nonce||i?.getAttribute(`nonce`);function o(e){return Promise.all(e.map(e=>Promise.resolve(e).then(e=>({status:`fulfilled`,value:e}),e=>({status:`rejected`,reason:e}))))}function s(e){return import.meta.resolve?new URL(import.meta.resolve(e)):new URL(e,import.meta.url)}r=o(t.map(t=>{t=Xr(t,n);let r=s(t),i=Qr(r);return $r(Zr,r.href,()=>{if(e===void 0){e={all:new Set,styles:new Set};let t=document.getElementsByTagName(`link`);for(let n=t.length-1;n>=0;n--){let r=t[n];e.all.add(r.href),r.rel===`stylesheet`&&e.styles.add(r.href)}}if((i?e.styles:e.all).has(r.href))return;let t=document.createElement(`link`);if(t.rel=i?`stylesheet`:Yr,i||(t.as=`script`),t.crossOrigin=``,t.href=r.href,a&&t.setAttribute(`nonce`,a),document.head.appendChild(t),i)return new Promise((e,n)=>{let i=a=>{t.removeEventListener(`load`,i),t.removeEventListener(`error`,i),a.type===`error`?n(Error(`Unable to preload CSS for ${r}`)):e(a)};t.addEventListener(`load`,i),t.addEventListener(`error`,i)})})}).filter(e=>e!==void 0))}function i(e){let t=new Event(`vite:preloadError`,{cancelable:!0});if(t.payload=e,window.dispatchEvent(t),!t.defaultPrevented)throw e}return r.then(t=>{for(let e of t||[])e.status===`rejected`&&i(e.reason);return e().catch(i)})},ti=58,ni=30,ri=8,ii=3e4,Z=class extends k{constructor(...e){super(...e),this.server=``,this.onOpened=()=>void 0,this.version=0,this.#e=Rr()}#e;#t;#n;static{this.styles=[B,V,Jr,o`
      :host {
        display: block;
        min-height: 0;
        position: relative;
      }
      .scroller {
        height: 100%;
        overflow: auto;
        contain: strict;
        container-type: inline-size;
        overscroll-behavior: contain;
      }
      .all {
        position: relative;
        width: 100%;
      }
      .line {
        position: absolute;
        inset-inline: 0;
        top: 0;
      }
      .detail {
        border-bottom: 1px solid var(--t-line);
        padding: 0 1rem 1rem 3.75rem;
      }
      .end {
        color: var(--t-muted);
        text-align: center;
        padding: 1rem;
        margin: 0;
      }
      @container (max-width: 30rem) {
        .detail {
          padding-inline: 0.75rem;
        }
      }
    `]}connectedCallback(){super.connectedCallback(),this.#n=setInterval(()=>this.requestUpdate(),ii)}disconnectedCallback(){super.disconnectedCallback(),clearInterval(this.#n)}get active(){let{lines:e}=this.inbox;return e.find(e=>e.event.id===this.activeId)}get opened(){return this.openId}async move(e){let{lines:t}=this.inbox,n=t.findIndex(e=>e.event.id===this.activeId),r=t[Math.min(Math.max(n<0?0:n+e,0),t.length-1)];r&&await this.focusOn(r.event.id)}async focusOn(e){let t=this.inbox.lines.findIndex(t=>t.event.id===e);if(!(t<0)){this.activeId=e,this.#t?.getVirtualizer().scrollToIndex(t,{align:`auto`}),await this.updateComplete;for(let t=0;t<10;t+=1){let n=this.#l(e);if(n){n.focus({preventScroll:t===0});return}await new Promise(e=>requestAnimationFrame(e)),await this.updateComplete}}}toggle(e){let t=this.openId===e.event.id;this.openId=t?void 0:e.event.id,this.activeId=e.event.id,t||(ei(()=>import(`./detail-Cy4Ld9QC.js`),[],import.meta.url),this.onOpened(e)),this.#c()}closeOpen(){let e=this.openId!==void 0;return this.openId=void 0,this.#c(),e}scrollToTop(){this.#e.value?.scrollTo({top:0})}focus(){let e=this.activeId??this.inbox.lines[0]?.event.id;e&&this.focusOn(e)}willUpdate(e){this.#t??=this.#r();let{lines:t}=this.inbox;t.some(e=>e.event.id===this.activeId)||(this.activeId=t[0]?.event.id),(e.has(`version`)||e.has(`inbox`))&&this.#s()}render(){let e=this.#t?.getVirtualizer(),{lines:t}=this.inbox,n=this.#o();return S`
      <div class="scroller" ${Vr(this.#e)} @scroll=${()=>this.#c()}>
        <div
          class="all"
          role="list"
          aria-label=${R.list.label}
          .style=${`height: ${e?.getTotalSize()??0}px`}
        >
          ${Ur(e?.getVirtualItems()??[],e=>e.key,e=>{let r=t[e.index];return r?this.#i(r,e.index,e.start,n):T})}
        </div>
        <p class="end">
          ${this.inbox.loading===`more`?R.list.loading:T}
          ${this.inbox.loading===`idle`&&!this.inbox.hasMore&&t.length>0?R.list.end:T}
        </p>
      </div>
    `}#r(){let e=this.#e;return new br(this,{getScrollElement:()=>e.value??null,count:this.inbox.lines.length,estimateSize:()=>ti,getItemKey:e=>this.inbox.lines[e]?.event.id??e,overscan:8,initialRect:{width:innerWidth,height:innerHeight}})}updated(){let e=this.#t?.getVirtualizer();for(let t of this.renderRoot.querySelectorAll(`.line`))e?.measureElement(t);let t=e?.getVirtualItems().at(-1)?.index??-1;this.inbox.hasMore&&t>=this.inbox.lines.length-ni&&this.inbox.more()}#i(e,t,n,r){let{id:i,operationId:a}=e.event,o=this.openId===i,s={isOpen:o,isChosen:this.inbox.choice.has(i),isActive:this.activeId===i,isOperationOpen:this.inbox.isOperationOpen(a)};return S`
      <div
        class="line"
        role="listitem"
        data-index=${t}
        data-id=${i}
        aria-setsize=${this.inbox.hasMore?-1:this.inbox.lines.length}
        aria-posinset=${t+1}
        .style=${`transform: translateY(${n}px)`}
      >
        ${Kr(e,s,r)}
        ${o?S`<div class="detail ${e.event.severity}">
              <tidings-event-detail
                .event=${e.event}
                .permalink=${this.#a(i)}
              ></tidings-event-detail>
            </div>`:T}
      </div>
    `}#a(e){let t=new URL(location.href);return t.searchParams.set(`event`,e),t.hash=``,t.href}#o(){let{inbox:e}=this;return{toggle:e=>this.toggle(e),choose:(e,t)=>this.choose(e,t),mark:t=>{let n=t.event.status===`unread`?`read`:`unread`;e.mark([t.event.id],n)},remove:e=>this.removeLine(e),toggleOperation:t=>e.toggleOperation(t.event.operationId),focus:e=>{this.activeId=e.event.id}}}choose(e,t){let{choice:n,lines:r}=this.inbox;if(t){let t=r.map(e=>e.event.id);n.extend(e.event.id,t)}else n.toggle(e.event.id);this.dispatchEvent(new CustomEvent(`choice`,{bubbles:!0,composed:!0})),this.requestUpdate()}removeLine(e){let{lines:t}=this.inbox,n=t.indexOf(e),r=t[n+1]??t[n-1];this.inbox.remove([e.event.id]),this.activeId=r?.event.id,r&&this.renderRoot.querySelector(`:focus`)&&this.focusOn(r.event.id)}#s(){let e=this.#t?.getVirtualizer(),t=this.inbox.lines.length;e&&e.options.count!==t&&e.setOptions({...e.options,count:t})}#c(){let e=(this.#e.value?.scrollTop??0)<=ri;this.inbox.isAtTop=e&&this.openId===void 0}#l(e){return this.renderRoot.querySelector(`[data-id="${CSS.escape(e)}"] .title`)}};W([j({attribute:!1})],Z.prototype,`inbox`,void 0),W([j({attribute:!1})],Z.prototype,`server`,void 0),W([j({attribute:!1})],Z.prototype,`onOpened`,void 0),W([j({type:Number})],Z.prototype,`version`,void 0),W([M()],Z.prototype,`openId`,void 0),W([M()],Z.prototype,`activeId`,void 0),Z=W([A(`tidings-list`)],Z);function ai(e){let{job:t}=e.work,{waiting:n}=e.removals,{error:r}=e;return S`<div class="notices" role="status">
    ${t?S`<div class="notice">
          <span
            >${R.work.progress(R.work.names[t.name]??t.name,t.done,t.count)}</span
          >
          <progress
            max=${Math.max(t.count,1)}
            .value=${t.done}
            aria-label=${R.work.names[t.name]??t.name}
          ></progress>
        </div>`:T}
    ${n?S`<div class="notice">
          <span>${R.notice.deleted(n.count)}</span>
          <button class="undo" @click=${()=>e.removals.undo()}>${R.notice.undo}</button>
        </div>`:T}
    ${r&&e.loading!==`failed`&&!r.isSignedOut&&r.code!==`unreachable`?S`<div class="notice failed">
          <span
            >${r.message}${r.remedies.length>0?S`<br />${r.remedies.join(`; `)}`:T}</span
          >
          <button
            class="plain"
            aria-label=${R.notice.dismiss}
            @click=${()=>e.dismissError()}
          >
            ${en()}
          </button>
        </div>`:T}
  </div>`}var oi=o`
  .notices {
    position: absolute;
    inset: auto 0.75rem 0.75rem;
    display: grid;
    gap: 0.5rem;
    justify-items: center;
    pointer-events: none;
    z-index: 2;
  }
  .notice {
    pointer-events: auto;
    display: flex;
    align-items: center;
    gap: 0.875rem;
    max-width: 100%;
    padding: 0.5rem 0.5rem 0.5rem 1rem;
    min-height: 2.75rem;
    border-radius: var(--t-radius);
    background: light-dark(#23272f, #e8eaef);
    color: light-dark(#ffffff, #16181d);
    box-shadow: var(--t-shadow);
  }
  .notice.failed {
    background: light-dark(#8f1616, #ffd9d6);
    color: light-dark(#ffffff, #3d0b08);
  }
  .notice .plain {
    color: inherit;
  }
  .notice .plain:hover {
    background: #8884;
  }
  .notice .undo {
    border: 0;
    background: none;
    min-height: 2rem;
    padding-inline: 0.75rem;
    font-weight: 650;
    color: light-dark(#a9c3ff, #1b47b0);
    border-radius: 6px;
  }
  .notice :focus-visible {
    outline-color: currentColor;
  }
  .notice progress {
    width: 8rem;
    margin-inline-end: 0.5rem;
    accent-color: light-dark(#a9c3ff, #1b47b0);
  }
`,si=6e3,Q=class extends k{constructor(...e){super(...e),this.server=``,this.pageKeys=!1,this.filter={},this.version=0,this.settings=zt(),this.isDenied=!1,this.isOffline=!navigator.onLine,this.said=``,this.arrived=``,this.#n=0,this.#i=0,this.#a=!1,this.#E=()=>{this.#e?.removals.flush(!0)},this.#D=()=>{this.isOffline=!navigator.onLine},this.#O=e=>{this.#e?.toggleOperation(e.detail),this.#_({operationId:e.detail})},this.#k=()=>{this.version+=1},this.#A=e=>{this.pageKeys&&e.target===document.body&&this.#j(e)},this.#j=e=>{let{list:t}=this,n=this.#e,r=Xn(e,this);if(!r||!n)return;let i=t?.active;e.preventDefault(),{next:()=>void t?.move(1),previous:()=>void t?.move(-1),toggle:()=>i&&t.toggle(i),mark:()=>i&&void n.mark([i.event.id],i.event.status===`read`?`unread`:`read`),remove:()=>n.choice.isEmpty?i&&t.removeLine(i):n.removeChosen(),choose:()=>i&&t.choose(i,!1),extend:()=>i&&t.choose(i,!0),chooseAll:()=>this.#x(),undo:()=>n.removals.undo(),older:()=>i&&n.toggleOperation(i.event.operationId),search:()=>this.bar?.focusSearch(),release:()=>this.#v(),help:()=>void this.#C(`help`),escape:()=>{t?.closeOpen()||this.#S()}}[r]()}}#e;#t;#n;#r;#i;#a;static{this.styles=[B,V,oi,kn,Jn]}get#o(){return Ft(this.server,this.getToken)}connectedCallback(){super.connectedCallback(),addEventListener(`pagehide`,this.#E),addEventListener(`online`,this.#D),addEventListener(`offline`,this.#D),this.addEventListener(`keydown`,this.#j),addEventListener(`keydown`,this.#A),this.addEventListener(`operation`,this.#O),this.addEventListener(`choice`,this.#k),this.hasUpdated&&this.#d()}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`pagehide`,this.#E),removeEventListener(`online`,this.#D),removeEventListener(`offline`,this.#D),this.removeEventListener(`keydown`,this.#j),removeEventListener(`keydown`,this.#A),this.removeEventListener(`operation`,this.#O),this.removeEventListener(`choice`,this.#k),this.#f()}async refresh(){await this.#o.restart()}openEvent(e){let t=this.#e?.lines.find(t=>t.event.id===e);t&&this.list?(this.list.opened!==e&&this.list.toggle(t),this.list.focusOn(e)):(this.eventId=e,this.#g(e))}willUpdate(e){e.has(`server`)||e.has(`getToken`)?(this.#f(),this.#d()):e.has(`filter`)&&this.#e&&this.#e.filter!==this.filter&&(this.#e.show(this.filter),this.list?.scrollToTop())}updated(){if(this.#a&&this.list&&this.#e?.loading===`idle`&&(this.#a=!1,this.list.focus()),this.eventId&&this.#e?.loading===`idle`){let e=this.eventId;this.eventId=void 0,this.openEvent(e)}}render(){let e=this.#e;return e?S`
      <div class="head">
        <div class="bar">
          <h2><slot name="title">${R.title}</slot></h2>
          <span class="counts">${this.#s(e)}</span>
          ${this.#c(e)}
          <slot name="actions"></slot>
          <button
            class="plain"
            title=${R.help.open}
            aria-label=${R.help.open}
            @click=${()=>void this.#C(`help`)}
          >
            ${an()}
          </button>
          <button
            class="plain"
            title=${R.settings.open}
            aria-label=${R.settings.open}
            @click=${()=>void this.#C(`settings`)}
          >
            ${rn()}
          </button>
        </div>
        <tidings-filter-bar
          .filter=${this.filter}
          .counts=${e.session.counts}
          .loadTypes=${()=>e.session.client.types()}
          @filter=${e=>this.#_(e.detail)}
          @leave=${()=>this.#b()}
        ></tidings-filter-bar>
        ${this.said?S`<div class="banner" role="status">${this.said}</div>`:T}
        ${e.choice.isEmpty?T:this.#l(e)}
      </div>
      <div class="body">
        ${e.held>0?S`<button class="pill" @click=${()=>this.#v()}>
              ${R.list.held(e.held)}
            </button>`:T}
        ${this.#u(e)} ${ai(e)}
      </div>
      <div class="hidden-text" aria-live="polite">${this.arrived}</div>
      ${this.dialog===`help`?En():T}
      ${this.dialog===`settings`?Dn(this.settings,this.isDenied,e=>void this.#w(e)):T}
    `:T}#s(e){let{counts:t}=e.session,n=t?ft(t.unread):void 0;return[e.total===void 0?void 0:R.list.total(e.total),n===void 0?void 0:R.list.unread(n)].filter(e=>e!==void 0).join(` · `)}#c(e){let{state:t}=e.session;return S`<span class="state ${t}" role="status"
      ><i aria-hidden="true"></i>${this.isOffline&&t!==`live`?R.state.offline:R.state[t]}</span
    >`}#l(e){let{choice:t}=e,n=e.total??0;return S`<div class="chosen">
      <span role="status"
        >${t.isAll?R.choice.all(n):R.choice.count(t.ids.length)}</span
      >
      ${t.isAll||n<=t.ids.length?T:S`<button class="action" @click=${()=>this.#x()}>
            ${R.choice.selectAll(n)}
          </button>`}
      <button
        class="action"
        @click=${()=>this.#y(()=>void e.markChosen(`read`,`read`))}
      >
        ${on()}<span class="hidden-text">${R.row.markRead}</span>
      </button>
      <button
        class="action"
        @click=${()=>this.#y(()=>void e.markChosen(`unread`,`unread`))}
      >
        ${sn()}<span class="hidden-text">${R.row.markUnread}</span>
      </button>
      <button class="action" @click=${()=>this.#y(()=>e.removeChosen())}>
        ${cn()}<span class="hidden-text">${R.row.remove}</span>
      </button>
      <button class="action" @click=${()=>this.#y(()=>this.#S())}>${R.choice.clear}</button>
    </div>`}#u(e){return e.lines.length>0?S`<tidings-list
        .inbox=${e}
        .version=${this.version}
        .onOpened=${e=>this.#h(e)}
      ></tidings-list>`:e.loading===`first`?S`<div class="skeleton" aria-label=${R.list.loading} role="status">
        ${Array.from({length:6},()=>S`<i></i>`)}
      </div>`:e.loading===`failed`?S`<div class="empty">
        <h3>${R.list.failed}</h3>
        <p>${e.error?.message}</p>
        <button class="action" @click=${()=>void e.reload()}>${R.list.again}</button>
      </div>`:Object.keys(this.filter).length>0?S`<div class="empty">
        <h3>${R.list.noMatch}</h3>
        <p>
          <button class="action" @click=${()=>this.#_({})}>
            ${R.list.clearFilters}
          </button>
        </p>
      </div>`:S`<div class="empty">
      <slot name="empty"
        ><h3>${R.list.nothing}</h3>
        <p>${R.list.nothingHint}</p></slot
      >
    </div>`}#d(){let e=this.#o;this.#n=e.reloads,this.#e=new Tn(e,()=>this.#p()),this.#t=e.listen({frame:t=>{t.kind===`event`&&e.state===`live`&&this.#T(`tidings-event`,t.event)},reload:()=>this.#m()}),this.#e.open(this.filter)}#f(){this.#e?.close(),this.#e=void 0,this.#t?.(),this.#t=void 0}#p(){this.version+=1;let e=this.#e;if(!e)return;let{state:t}=e.session;t!==this.#r&&(this.#r=t,this.#T(`tidings-state`,{state:t})),e.held>this.#i&&(this.arrived=R.list.arrived(e.held)),this.#i=e.held}#m(){let{reloads:e}=this.#o;e>this.#n&&this.#e?.session.counts&&(this.said=R.state.reloaded,setTimeout(()=>{this.said=``},si)),this.#n=e}#h(e){this.#T(`tidings-open`,e.event),this.settings.readOnOpen&&e.event.status===`unread`&&this.#e?.mark([e.event.id],`read`)}async#g(e){let t=this.#e;if(t&&t.loading===`idle`){this.eventId=void 0;try{let n=await t.session.client.get(e);this.#_({operationId:n.operationId}),this.eventId=e,t.toggleOperation(n.operationId)}catch{this.said=R.list.noMatch}}}#_(e){this.filter=e,this.#T(`tidings-filter`,e)}#v(){this.#e?.release(),this.list?.scrollToTop()}#y(e){e(),this.version+=1,this.#b()}#b(){this.#a=!0,this.requestUpdate()}#x(){this.#e?.choice.selectAll(),this.version+=1}#S(){this.#e?.choice.clear(),this.version+=1}async#C(e){this.settings=zt(),this.dialog=e,await this.updateComplete,this.renderRoot.querySelector(`#${e}`)?.showModal()}async#w(e){let t=e.desktop.length>this.settings.desktop.length;this.isDenied=t&&!(await Ut()&&Ht()),this.settings=this.isDenied?{...e,desktop:[]}:e,Bt(this.settings)}#T(e,t){this.dispatchEvent(new CustomEvent(e,{detail:t,bubbles:!0,composed:!0}))}#E;#D;#O;#k;#A;#j};W([j()],Q.prototype,`server`,void 0),W([j({type:Boolean,attribute:`page-keys`})],Q.prototype,`pageKeys`,void 0),W([j({attribute:!1})],Q.prototype,`getToken`,void 0),W([j({attribute:!1})],Q.prototype,`filter`,void 0),W([j({attribute:!1})],Q.prototype,`eventId`,void 0),W([M()],Q.prototype,`version`,void 0),W([M()],Q.prototype,`settings`,void 0),W([M()],Q.prototype,`dialog`,void 0),W([M()],Q.prototype,`isDenied`,void 0),W([M()],Q.prototype,`isOffline`,void 0),W([M()],Q.prototype,`said`,void 0),W([M()],Q.prototype,`arrived`,void 0),W([N(`tidings-list`)],Q.prototype,`list`,void 0),W([N(`tidings-filter-bar`)],Q.prototype,`bar`,void 0),Q=W([A(`tidings-inbox`)],Q);var ci=8e3;function li(e,t,n){return S`<div class="toasts" role="log" aria-label=${R.toasts.label}>
    ${Ur(e,e=>e.id,e=>S`<div class="toast ${e.severity}">
        <span class="icon">${Qt(e.severity)}</span>
        <button class="what" aria-label=${Wn(e)} @click=${()=>t(e)}>
          <b>${U(e)}</b>
          <span>${H(e.category)} · ${H(e.action)}</span>
        </button>
        <button
          class="plain"
          aria-label=${R.toasts.dismiss}
          @click=${()=>n(e)}
        >
          ${en()}
        </button>
      </div>`)}
  </div>`}var ui=o`
  .toasts {
    position: fixed;
    inset: auto 1rem 1rem auto;
    display: grid;
    gap: 0.5rem;
    width: min(24rem, calc(100vw - 2rem));
    z-index: 2147483000;
  }
  .toast {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr) auto;
    gap: 0.625rem;
    align-items: start;
    padding: 0.625rem;
    background: var(--t-surface);
    border: 1px solid var(--t-line);
    border-inline-start: 4px solid var(--t-severity);
    border-radius: var(--t-radius);
    box-shadow: var(--t-shadow);
    animation: come 0.2s ease-out;
  }
  .toast .icon {
    color: var(--t-severity);
    padding-top: 0.1875rem;
  }
  .toast .what {
    border: 0;
    background: none;
    padding: 0;
    text-align: start;
    display: grid;
    border-radius: 4px;
  }
  .toast b {
    overflow-wrap: anywhere;
  }
  .toast .what span {
    color: var(--t-muted);
    font-size: 0.8125rem;
  }
  @keyframes come {
    from {
      opacity: 0;
      transform: translateY(0.5rem);
    }
  }
`,di=99,$=class extends k{constructor(...e){super(...e),this.server=``,this.theme=null,this.open=!1,this.noDrawer=!1,this.shown=[]}#e;#t;static{this.styles=[B,V,ui,o`
      :host {
        display: inline-block;
      }
      .bell {
        position: relative;
        width: 2.5rem;
        height: 2.5rem;
        color: inherit;
      }
      .badge {
        position: absolute;
        inset: 0.0625rem 0 auto auto;
        min-width: 1.125rem;
        height: 1.125rem;
        padding-inline: 0.25rem;
        border-radius: 999px;
        background: var(--t-severity, var(--t-accent));
        color: var(--t-surface);
        font: 700 0.6875rem/1.125rem var(--t-font);
        text-align: center;
        font-variant-numeric: tabular-nums;
      }
      dialog.drawer {
        position: fixed;
        inset: 0 0 0 auto;
        margin: 0;
        padding: 0;
        width: min(32rem, 100vw);
        max-width: none;
        height: 100dvh;
        max-height: none;
        border: 0;
        border-inline-start: 1px solid var(--t-line);
        border-radius: 0;
        animation: slide 0.18s ease-out;
      }
      @keyframes slide {
        from {
          transform: translateX(2rem);
          opacity: 0;
        }
      }
    `]}connectedCallback(){super.connectedCallback(),this.hasUpdated&&this.#n()}disconnectedCallback(){super.disconnectedCallback(),this.#t?.(),this.#t=void 0}willUpdate(e){(e.has(`server`)||e.has(`getToken`))&&this.#n()}updated(e){e.has(`open`)&&(this.open?this.drawer?.showModal():this.drawer?.open&&this.drawer.close())}render(){let e=this.#e?.counts,t=e?ft(e.unread):0;return S`
      <button
        class="plain bell ${P.find(t=>(e?.unread[t]??0)>0)??``}"
        aria-label=${R.bell.label(t)}
        aria-haspopup=${this.noDrawer?T:`dialog`}
        @click=${()=>this.#r()}
      >
        ${$t()}
        ${t>0?S`<span class="badge" aria-hidden="true"
              >${t>di?R.bell.more:t}</span
            >`:T}
      </button>
      <dialog
        class="drawer"
        aria-label=${R.title}
        @close=${()=>{this.open=!1}}
        @click=${e=>{e.target===this.drawer&&(this.open=!1)}}
      >
        ${this.open?S`<tidings-inbox
              .server=${this.server}
              .getToken=${this.getToken}
              theme=${this.theme??T}
            >
              <button
                slot="actions"
                class="plain"
                aria-label=${R.bell.close}
                @click=${()=>{this.open=!1}}
              >
                ${en()}
              </button>
            </tidings-inbox>`:T}
      </dialog>
      ${li(this.shown,e=>void this.#i(e),e=>this.#o(e))}
    `}#n(){this.#t?.();let e=Ft(this.server,this.getToken);this.#e=e;let t=new Jt({toast:e=>this.#a(e),desktop:e=>Wt(Wn(e),U(e),e.id,()=>void this.#i(e))});this.#t=e.listen({frame:n=>{t.take(n),n.kind===`event`&&e.state===`live`&&!this.open&&this.dispatchEvent(new CustomEvent(`tidings-event`,{detail:n.event,bubbles:!0,composed:!0}))},changed:()=>this.requestUpdate()}),e.open().catch(()=>void 0)}#r(){this.dispatchEvent(new CustomEvent(`tidings-open`,{detail:null,bubbles:!0,composed:!0})),this.noDrawer||(this.open=!0)}async#i(e){this.#o(e),this.noDrawer?this.dispatchEvent(new CustomEvent(`tidings-open`,{detail:e,bubbles:!0,composed:!0})):(this.open=!0,await this.updateComplete,await this.inbox?.updateComplete,this.inbox?.openEvent(e.id))}#a(e){this.shown=[...this.shown,e].slice(-4),Rt.includes(e.severity)||setTimeout(()=>this.#o(e),ci)}#o(e){this.shown=this.shown.filter(t=>t.id!==e.id)}};W([j()],$.prototype,`server`,void 0),W([j({reflect:!0})],$.prototype,`theme`,void 0),W([j({type:Boolean,reflect:!0})],$.prototype,`open`,void 0),W([j({type:Boolean,attribute:`no-drawer`})],$.prototype,`noDrawer`,void 0),W([j({attribute:!1})],$.prototype,`getToken`,void 0),W([M()],$.prototype,`shown`,void 0),W([N(`dialog`)],$.prototype,`drawer`,void 0),W([N(`tidings-inbox`)],$.prototype,`inbox`,void 0),$=W([A(`tidings-bell`)],$);export{o as C,S,M as _,B as a,k as b,dn as c,Ft as d,ft as f,N as g,We as h,Vn as i,un as l,Ge as m,Q as n,V as o,F as p,W as r,$t as s,$ as t,R as u,j as v,T as x,A as y};