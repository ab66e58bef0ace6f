(d=>{
let w=window,on=(type,listener)=>w.addEventListener(type,listener),ready,box,kept=[],
texts={
slow:["Still loading","The program of this page has not arrived yet. The page starts as soon as it is here. On a slow connection, wait a moment; if nothing happens, reload."],
lost:["This page did not load completely","A part of its program could not be downloaded. Check your connection, then reload. If you were signed in, you still are."],
wasm:["This browser cannot run this page","It needs WebAssembly, which is missing or turned off here; a lockdown mode may turn it off. Allow it for this site and reload, or use another browser."],
dead:["This page has stopped working","There was an error in its program. If you were signed in, you still are. Reload the page to go on."]
},
say=what=>{
if(!d.body)return on("DOMContentLoaded",()=>say(what));
let make=(tag,name,parent,text)=>{let e=d.createElement(tag);e.className=name;if(text)e.textContent=text;parent.append(e);return e};
if(box){if(what=="slow"||box.what==what)return;box.remove()}
box=make("div","watch",d.body);box.what=what;box.setAttribute("role","alert");
let text=make("div","notice__text",make("div","notice watch__notice"+(what=="slow"?"":" notice--alarm"),box));
make("p","notice__title",text,texts[what][0]);make("p","",text,texts[what][1]);
let button=make("button","button",make("p","",text),"Reload");button.type="button";
button.onclick=()=>{if(!ready&&what=="dead")history.replaceState("keyturn:render","");location.reload()}
},
crash=error=>{
if(w.WebAssembly&&error instanceof WebAssembly.RuntimeError)say("dead");
else if(!ready&&(error instanceof TypeError||error instanceof SyntaxError||/failed to fetch/i.test(error&&error.message)||w.WebAssembly&&(error instanceof WebAssembly.CompileError||error instanceof WebAssembly.LinkError)))say("lost")
},
put=tries=>{
kept=kept.filter(([name,value,focused])=>{
let input=d.getElementsByName(name)[0];
if(!input)return 1;
if(typeof value=="boolean")input.checked=value;
else if(value&&!input.value){input.value=value;input.dispatchEvent(new Event("input",{bubbles:true}))}
if(focused)input.focus()
});
if(kept.length&&tries)requestAnimationFrame(()=>put(tries-1));else kept=[]
};
on("error",event=>crash(event.error));
on("unhandledrejection",event=>crash(event.reason));
on("keyturn:failed",()=>say("dead"));
on("keyturn:render",()=>{for(let input of d.querySelectorAll("input[name]"))kept.push([input.name,input.type=="checkbox"?input.checked:input.value,input==d.activeElement])});
on("keyturn:ready",()=>{ready=1;if(box&&box.what!="dead"){box.remove();box=0}put(120)});
if(!w.WebAssembly)say("wasm");
setTimeout(()=>{if(!ready)say("slow")},6e3);
let start=d.startViewTransition;
if(start)d.startViewTransition=function(){let t=start.apply(d,arguments);for(let p of[t.ready,t.finished,t.updateCallbackDone])p.catch(()=>{});return t}
})(document)
