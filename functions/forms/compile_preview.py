import asyncio

from shared.areas.forms.builder_models import CompileCode, Compiled
from shared.areas.forms.compiling import compile_jsx
from shared.runtime import Call, endpoint


@endpoint
async def forms_compile_preview(call: Call, body: CompileCode) -> Compiled:
    """JSX as the JavaScript that the builder's preview runs. Spec api-forms F19."""
    return Compiled(code=await asyncio.to_thread(compile_jsx, body.react_code))
