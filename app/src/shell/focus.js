(d=>{
let path=[],
unusable=e=>!e.isConnected||e.matches(":disabled"),
rescue=()=>{
let active=d.activeElement;
if(!path.length||active&&active!=d.body||!unusable(path[0]))return;
let near=path.find(e=>!unusable(e))||d.body,
place=near.closest("section,li,[role=group],.page,main")||d.querySelector("main")||d.body,
target=place.querySelector("h1,h2,h3")||place;
path=[];
if(!target.hasAttribute("tabindex"))target.tabIndex=-1;
target.focus()
};
d.addEventListener("focusin",event=>{path=[];for(let e=event.target;e;e=e.parentElement)path.push(e)});
d.addEventListener("focusout",event=>setTimeout(()=>{if(event.target==path[0]&&!unusable(event.target))path=[]}));
new MutationObserver(()=>{if(path.length&&unusable(path[0]))setTimeout(rescue,60)}).observe(d,{childList:true,subtree:true,attributeFilter:["disabled"]})
})(document)
